import { ImsError } from "@ims/runtime";

export type StoreFault =
  | {
      readonly code: "STORE_VALUE_TOO_LARGE";
      readonly table: string;
      readonly bytes: number;
      readonly maxBytes: number;
    }
  | { readonly code: "STORE_BAD_TTL"; readonly table: string; readonly ttlSeconds: number };

/** A rule of the store port was broken by its caller. */
export class StoreError extends ImsError<StoreFault> {}
