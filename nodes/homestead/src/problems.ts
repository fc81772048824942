import type { Problems } from "@ims/runtime";

/** What may go wrong in homestead: TW-4000 to TW-4999. */
export const homesteadProblems = {
  subscribersUnavailable: {
    id: "TW-4001",
    name: "subscribers-unavailable",
    kind: "alarm",
    type: "PROCESSING_ERROR_ALARM",
    probableCause: "underlyingResourceUnavailable",
    severity: "CRITICAL",
    summary: "No subscriber is served",
    cause:
      "Cassandra does not answer, or what is stored there is for another key or realm; the text says which.",
    effect: "Nobody can register; calls fail where the profile has to be asked for.",
    action: "Bring Cassandra back. With a wrong key give --subscriber-key-file of the pool.",
  },
  statesNotWritten: {
    id: "TW-4002",
    name: "registration-states-not-written",
    kind: "event",
    type: "PROCESSING_ERROR_ALARM",
    probableCause: "storageCapacityProblem",
    severity: "MAJOR",
    summary: "Registration states cannot be written to the subscriber file",
    cause: "The disk is full or broken.",
    effect:
      "They are kept in memory and tried again; lost when the process ends now, and users register again.",
    action: "Make room on the disk of the state directory.",
  },
  profileNotPushed: {
    id: "TW-4003",
    name: "profile-not-pushed",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MINOR",
    summary: "A changed profile did not reach the S-CSCF (Push-Profile-Request)",
    cause: "The S-CSCF that serves the subscriber is not connected or refused it.",
    effect: "The change is in force when the subscriber registers the next time.",
    action: "Nothing, or deregister the subscriber when the change cannot wait.",
  },
  notDeregistered: {
    id: "TW-4004",
    name: "s-cscf-did-not-deregister",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MINOR",
    summary: "An S-CSCF did not end a registration (Registration-Termination-Request)",
    cause: "The S-CSCF that serves the subscriber is not connected or refused it.",
    effect: "The user may be registered there until the registration lapses.",
    action: "Repeat the deregistration when the S-CSCF is back.",
  },
} as const satisfies Problems;
