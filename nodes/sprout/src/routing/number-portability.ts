import type { ReadonlyParameters } from "@ims/sip";
import { bareDigits, canonicalContext } from "./telephone-number.ts";

/** What a number says about the network that serves it: RFC 4694. */
export interface NumberPortability {
  /** npdi: the database has been asked, whatever it said. */
  readonly dipped: boolean;
  /** rn without visual separators; a local one only with its context. */
  readonly routingNumber: { readonly digits: string; readonly context: string } | undefined;
  /** cic of the carrier to be used, with its context ("+1-6789" or "0288" of "+1"). */
  readonly carrier: string | undefined;
}

export function numberPortability(parameters: ReadonlyParameters): NumberPortability {
  return {
    dipped: parameters.has("npdi"),
    routingNumber: routingNumber(parameters),
    carrier: carrier(parameters),
  };
}

/** §4.1: hexadecimal digits; a local one without rn-context says nothing. */
function routingNumber(parameters: ReadonlyParameters): { digits: string; context: string } | undefined {
  const text = parameters.get("rn");
  if (text === undefined || !/^\+?[0-9A-Fa-f().-]*[0-9A-Fa-f][0-9A-Fa-f().-]*$/.test(text)) return undefined;
  const digits = bareDigits(text);
  if (digits.startsWith("+")) return { digits, context: "" };
  const context = parameters.get("rn-context");
  return context === undefined || context === "" ? undefined : { digits, context: canonicalContext(context) };
}

/** §4.2: a local one is completed by cic-context where that is a country code. */
function carrier(parameters: ReadonlyParameters): string | undefined {
  const text = parameters.get("cic");
  if (text === undefined || !/^\+?[0-9A-Fa-f().-]*[0-9A-Fa-f][0-9A-Fa-f().-]*$/.test(text)) return undefined;
  const digits = bareDigits(text);
  if (digits.startsWith("+")) return digits;
  const context = canonicalContext(parameters.get("cic-context") ?? "");
  return context.startsWith("+") ? context + digits : undefined;
}
