import { ImsError } from "@ims/runtime";

export type SproutFault =
  | { readonly code: "SPROUT_BAD_URI"; readonly option: string; readonly value: string }
  | { readonly code: "SPROUT_ADDRESS"; readonly host: string; readonly problem: string }
  /** An MMTEL application server by itself that has no settings to read. */
  | { readonly code: "SPROUT_NO_HOMER" }
  | { readonly code: "SPROUT_STORES"; readonly problem: string }
  | { readonly code: "SPROUT_ANALYTICS"; readonly folder: string }
  | { readonly code: "SPROUT_STATE_DIR"; readonly folder: string; readonly problem: string }
  | { readonly code: "SPROUT_IFC_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "SPROUT_NUMBERS_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "SPROUT_EMERGENCY_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "SPROUT_PRIORITY_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "SPROUT_SERVER_SETTINGS"; readonly file: string; readonly problem: string }
  | { readonly code: "SPROUT_SCSCF_FILE"; readonly file: string; readonly problem: string };

/** A mistake in sprout's configuration. */
export class SproutError extends ImsError<SproutFault> {}
