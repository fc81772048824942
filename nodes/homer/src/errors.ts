import { ImsError } from "@ims/runtime";

export type HomerFault =
  | { readonly code: "HOMER_PEERS"; readonly option: string; readonly peer: string }
  | { readonly code: "HOMER_FILE"; readonly option: string; readonly file: string; readonly problem: string }
  /** Nobody could prove who he is on Ut. */
  | { readonly code: "HOMER_AUTHENTICATION"; readonly problem: string };

/** Why homer does not start. */
export class HomerError extends ImsError<HomerFault> {}
