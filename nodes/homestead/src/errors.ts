import { ImsError } from "@ims/runtime";

export type HomesteadFault =
  | { readonly code: "KEY_FILE"; readonly file: string; readonly problem: string }
  /** The secrets in the store of the pool are sealed with another key. */
  | { readonly code: "POOL_KEY"; readonly file: string }
  | { readonly code: "SECRETS_UNREADABLE"; readonly impi: string }
  | { readonly code: "EXAMPLES_BEYOND_LOOPBACK"; readonly address: string }
  | { readonly code: "PROVISIONING_WITHOUT_TOKEN"; readonly address: string }
  | { readonly code: "CX_PEERS"; readonly peer: string }
  | { readonly code: "TLS_FILE"; readonly file: string; readonly problem: string }
  | { readonly code: "TLS_TWICE"; readonly problem: string }
  | { readonly code: "TOKEN_FILE"; readonly file: string; readonly problem: string };

/** Why homestead does not start, or cannot read what it stored. */
export class HomesteadError extends ImsError<HomesteadFault> {}
