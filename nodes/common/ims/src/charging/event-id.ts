import { hash } from "node:crypto";

/** A name for an event by what it is: whoever sees it again, here or at another node, gives it the same one. */
export function eventId(...facts: readonly string[]): string {
  return hash("sha256", facts.join("\n"), "base64url").slice(0, 22);
}
