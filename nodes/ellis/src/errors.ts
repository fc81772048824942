import { ImsError } from "@ims/runtime";

export type EllisFault =
  | { readonly code: "ELLIS_FILE"; readonly option: string; readonly file: string; readonly problem: string }
  | { readonly code: "ELLIS_OPTION"; readonly option: string; readonly problem: string };

/** Why ellis does not start. */
export class EllisError extends ImsError<EllisFault> {}
