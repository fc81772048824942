import { parseDigestParameters, type SipMessage } from "@ims/sip";
import type { CaseFile, SipEvent } from "./case-file.ts";

/** What a request said to prove who sent it, without the proof. */
export interface DigestAttempt {
  readonly event: SipEvent;
  readonly username: string;
  readonly realm: string;
  /** "": none. Else a digest of it. */
  readonly nonce: string;
  readonly algorithm: string;
  /** It has a response that is not empty. */
  readonly responds: boolean;
  readonly resynchronises: boolean;
}

/** A challenge as the UE got it. */
export interface DigestChallenged {
  readonly event: SipEvent;
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  readonly stale: boolean;
}

/** Requests of a method from outside that had credentials. */
export function attemptsIn(file: CaseFile, method: string): readonly DigestAttempt[] {
  return file.received(method).flatMap((event) => {
    const given = credentialsOf(event.message);
    if (given === undefined) return [];
    const text = (name: string): string => given.get(name) ?? "";
    return [
      {
        event,
        username: text("username"),
        realm: text("realm"),
        nonce: text("nonce"),
        algorithm: text("algorithm"),
        responds: text("response") !== "",
        resynchronises: text("auts") !== "",
      },
    ];
  });
}

export function challengesIn(file: CaseFile, method: string): readonly DigestChallenged[] {
  return file.answers(method).flatMap((event) => {
    const { message } = event;
    const value = message.header("WWW-Authenticate") ?? message.header("Proxy-Authenticate");
    const given = value === undefined ? undefined : parseDigestParameters(value);
    if (given === undefined) return [];
    const text = (name: string): string => given.get(name) ?? "";
    return [
      {
        event,
        realm: text("realm"),
        nonce: text("nonce"),
        algorithm: text("algorithm"),
        stale: text("stale").toLowerCase() === "true",
      },
    ];
  });
}

export function isAka(algorithm: string): boolean {
  return /^AKAv[12]-/i.test(algorithm);
}

function credentialsOf(message: SipMessage): ReadonlyMap<string, string> | undefined {
  for (const name of ["Authorization", "Proxy-Authorization"] as const)
    for (const value of message.values(name)) {
      const given = parseDigestParameters(value);
      if (given !== undefined) return given;
    }
  return undefined;
}
