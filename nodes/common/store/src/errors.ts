import { ImsError } from "@ims/runtime";

export type StoreFault =
  | {
      readonly code: "STORE_VALUE_TOO_LARGE";
      readonly table: string;
      readonly bytes: number;
      readonly maxBytes: number;
    }
  | { readonly code: "STORE_BAD_TTL"; readonly table: string; readonly ttlSeconds: number }
  | { readonly code: "STORE_DATABASE"; readonly path: string; readonly problem: string }
  | { readonly code: "STORE_SERVER"; readonly server: string; readonly problem: string }
  | { readonly code: "STORE_REPLICAS"; readonly problem: string }
  | { readonly code: "STORE_SERVER_LIST"; readonly text: string; readonly problem: string };

/** A rule of the store port was broken by its caller, or a database file or a server cannot be used. */
export class StoreError extends ImsError<StoreFault> {}
