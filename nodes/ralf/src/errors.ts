import { ImsError } from "@ims/runtime";

export type RalfFault =
  | { readonly code: "RALF_CLIENTS"; readonly client: string }
  | { readonly code: "RALF_FOLDER"; readonly option: string; readonly folder: string }
  | { readonly code: "RALF_STORES"; readonly problem: string }
  /** Nothing would be done with what is charged. */
  | { readonly code: "RALF_NOWHERE" };

/** Why ralf does not start. */
export class RalfError extends ImsError<RalfFault> {}
