import type { Problems } from "@ims/runtime";

/** What may go wrong as the tools of an operator see it: TW-9000 to TW-9099. */
export const tidewaterProblems = {
  nodeSilent: {
    id: "TW-9001",
    name: "node-silent",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "CRITICAL",
    summary: "A node does not answer at its management port",
    cause: "The process hangs or has ended, or its management port cannot be reached from here.",
    effect: "Whether it serves is not known here; its alarms stay as they were.",
    action: "Look whether the process runs, and at its last log lines; restart it when it hangs.",
  },
} as const satisfies Problems;
