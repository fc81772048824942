import { ImsError } from "@ims/runtime";

export type BonoFault =
  | { readonly code: "BONO_BAD_URI"; readonly option: string; readonly value: string }
  | { readonly code: "BONO_NO_MEDIA_GATEWAY"; readonly problem: string }
  | { readonly code: "BONO_BAD_KEY"; readonly option: string; readonly problem: string }
  | { readonly code: "BONO_BLIND_RELEASE"; readonly problem: string }
  | { readonly code: "BONO_PRIORITY_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "BONO_TLS_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "BONO_TLS_INCOMPLETE"; readonly problem: string }
  | { readonly code: "BONO_PEERS_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "BONO_IBCF_ADDRESS"; readonly problem: string }
  | { readonly code: "BONO_CORE_OPEN"; readonly problem: string }
  | { readonly code: "BONO_CORE_ADDRESS"; readonly problem: string };

/** A mistake in bono's configuration. */
export class BonoError extends ImsError<BonoFault> {}
