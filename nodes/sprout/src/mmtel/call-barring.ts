import type { CommunicationBarring } from "@ims/ims";
import { applying, type Call } from "./conditions.ts";

/** "anonymous": because the caller is not to be known (ACR). */
export type Barring = "allowed" | "barred" | "anonymous";

/** Methods that begin what can be barred: TS 24.611 §4.5.2. */
export const BARRABLE: ReadonlySet<string> = new Set(["INVITE", "MESSAGE", "REFER"]);

/**
 * Incoming and outgoing communication barring: TS 24.611 §4.5.2, §4.9. Of all rules that apply one that allows is
 * enough; no rule applies: allowed.
 */
export function barring(service: CommunicationBarring | undefined, call: Call): Barring {
  if (service?.active !== true) return "allowed";
  let result: Barring = "allowed";
  for (const { action, conditions } of applying(service.rules, call)) {
    if (action.allow) return "allowed";
    if (conditions.some(({ kind }) => kind === "anonymous")) {
      if (result === "allowed") result = "anonymous";
    } else result = "barred";
  }
  return result;
}
