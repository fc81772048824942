import { ImsError } from "@ims/runtime";

/** Broken promises of this package. Whatever comes from the wire is a value, never one of these. */
export type DiameterFault =
  | { code: "DIAMETER_DICTIONARY"; command: string; reason: string }
  | { code: "DIAMETER_VALUE"; avp: string; expected: string }
  | { code: "DIAMETER_MESSAGE_TOO_LONG"; command: string; maxLength: number }
  | { code: "DIAMETER_LISTEN"; host: string; port: number };

export class DiameterError extends ImsError<DiameterFault> {}
