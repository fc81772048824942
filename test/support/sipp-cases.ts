import {
  countMessages,
  type Scenario,
  type SippCall,
  type SippCallResult,
  type SippUser,
  type Transport,
} from "./sipp-call.ts";

/** A behaviour seen from UEs, run against a core. */
export type CallCase = {
  readonly title: string;
  readonly scenario: Scenario;
  /** One per contact of the called user; none: it is not registered. */
  readonly callees: readonly Scenario[];
  readonly transports: readonly Transport[];
  /** The called user; default one that the HSS knows. */
  readonly calleeName?: string;
  /** Messages that one side must have seen at least so often. */
  readonly atLeast?: readonly {
    readonly who: "caller" | "callee";
    readonly direction: "sent" | "received";
    readonly start: string;
    readonly times: number;
  }[];
};

const both: readonly Transport[] = ["udp", "tcp"];
const udp: readonly Transport[] = ["udp"];
const pair = (name: string): Pick<CallCase, "scenario" | "callees" | "transports"> => ({
  scenario: { name: `uac-${name}` },
  callees: [{ name: `uas-${name}` }],
  transports: both,
});
const refused = (code: string): Scenario => ({ name: "uac-refused", fill: { CODE: code } });
const refuse = (code: string, reason: string): Scenario => ({
  name: "uas-refuse",
  fill: { CODE: code, REASON: reason },
});
const answer: Scenario = { name: "uas-answer" };
const ring: Scenario = { name: "uas-ring" };

export const callCases: readonly CallCase[] = [
  { title: "RFC 3261 §13: a call", scenario: { name: "uac-call" }, callees: [answer], transports: both },
  { title: "RFC 3261 §9: early cancel", scenario: { name: "uac-cancel" }, callees: [ring], transports: both },
  {
    title: "RFC 3261 §21.4.24: busy",
    scenario: refused("486"),
    callees: [refuse("486", "Busy Here")],
    transports: both,
  },
  {
    title: "RFC 3261 §9: no answer, the caller gives up",
    scenario: { name: "uac-no-answer" },
    callees: [ring],
    transports: udp,
  },
  {
    title: "RFC 3261 §21.4.18: no answer, the callee gives up",
    scenario: refused("480"),
    callees: [refuse("480", "No Answer")],
    transports: udp,
  },
  {
    title: "TS 24.229 §5.4.3.3: a call to an unregistered user",
    scenario: refused("480"),
    callees: [],
    transports: both,
  },
  {
    title: "TS 24.229 §5.3.2.1: a call to an unknown user",
    scenario: refused("404"),
    callees: [],
    transports: both,
    calleeName: "nobody-at-all",
  },
  { title: "RFC 3261 §14: re-INVITE", ...pair("reinvite") },
  { title: "RFC 3311: UPDATE", ...pair("update") },
  { title: "RFC 3262: reliable ringing and PRACK", ...pair("prack") },
  {
    title:
      "RFC 3312, RFC 7989: resources are reserved before the UE rings, and every message has its Session-ID",
    ...pair("preconditions"),
  },
  { title: "RFC 3428: MESSAGE", ...pair("message") },
  { title: "TS 24.341 §5.3: a short message over IP", ...pair("short-message") },
  { title: "RFC 3261 §11: OPTIONS", ...pair("options") },
  { title: "RFC 3515: REFER and NOTIFY", ...pair("refer") },
  {
    title: "RFC 3261 §16.7: three contacts ring, one answers, the others are cancelled",
    scenario: { name: "uac-fork" },
    callees: [answer, ring, ring],
    transports: both,
  },
  {
    title: "RFC 3261 §17: every fifth message of the caller is lost in either direction",
    scenario: { name: "uac-lossy", args: ["-lost", "20"] },
    callees: [answer],
    transports: udp,
  },
  {
    title: "RFC 3261 §17.1: INVITE and BYE are repeated to a silent UE",
    scenario: { name: "uac-call" },
    callees: [{ name: "uas-slow" }],
    transports: udp,
    atLeast: [
      { who: "callee", direction: "received", start: "INVITE ", times: 2 },
      { who: "callee", direction: "received", start: "BYE ", times: 2 },
    ],
  },
  {
    title: "RFC 3261 §13.3.1.4: a 200 is repeated end to end until the ACK",
    scenario: { name: "uac-late-ack" },
    callees: [answer],
    transports: udp,
    atLeast: [
      { who: "callee", direction: "sent", start: "SIP/2.0 200 OK", times: 2 },
      { who: "caller", direction: "received", start: "SIP/2.0 200 OK", times: 2 },
    ],
  },
  { title: "RFC 3261 §18.1.1: an INVITE of more than 1,300 bytes", ...pair("long-body") },
  { title: "RFC 3261 §7.3: long and unknown header fields", ...pair("long-headers") },
];

export type RegistrationCase = {
  readonly title: string;
  readonly scenario: string;
  readonly user: "known" | "unknown" | "wrong password";
};

export const registrationCases: readonly RegistrationCase[] = [
  { title: "TS 24.229 §5.1.1.2: a UE registers", scenario: "register", user: "known" },
  { title: "TS 24.229 §5.1.1.4: a UE renews its registration", scenario: "re-register", user: "known" },
  { title: "TS 24.229 §5.1.1.6: a UE leaves", scenario: "deregister", user: "known" },
  {
    title: "TS 24.229 §5.4.1.2.2: a nonce nobody gave out is challenged again",
    scenario: "register-stale-nonce",
    user: "known",
  },
  {
    title: "TS 24.229 §5.4.1.2.2: a wrong password is refused",
    scenario: "register-wrong-password",
    user: "wrong password",
  },
  {
    title: "TS 24.229 §5.3.1.2: an unknown user is refused",
    scenario: "register-unknown-user",
    user: "unknown",
  },
];

/** The users of one registration case. */
export function registrationUser({ user }: RegistrationCase, known: SippUser): SippUser {
  switch (user) {
    case "known":
      return known;
    case "wrong password":
      return { ...known, password: `not-${known.password}` };
    case "unknown":
      return { name: "nobody-at-all", password: "secret" };
  }
}

/** A call of `one`, between two users of which nothing is registered yet. */
export function callOf(one: CallCase, caller: SippUser, callee: SippUser): SippCall {
  const called = one.calleeName === undefined ? callee : { ...callee, name: one.calleeName };
  return { caller, scenario: one.scenario, callee: called, callees: one.callees };
}

/** Messages that a case must show and that were not there often enough. */
export function missingMessages(one: CallCase, { caller, callees }: SippCallResult): string[] {
  return (one.atLeast ?? []).flatMap(({ who, direction, start, times }) => {
    const side = who === "caller" ? [caller] : callees;
    const seen = Math.max(...side.map((result) => countMessages(result, direction, start)));
    return seen >= times ? [] : [`${who} ${direction} "${start}" ${seen} times instead of ${times} or more`];
  });
}
