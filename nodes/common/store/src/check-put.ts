import { StoreError } from "./errors.ts";
import { MAX_VALUE_BYTES } from "./kv-store.ts";

/** The rules that every driver applies before a put; undefined when they are kept. */
export function checkPut(table: string, value: Uint8Array, ttlSeconds: number): StoreError | undefined {
  if (value.byteLength > MAX_VALUE_BYTES) {
    return new StoreError({
      code: "STORE_VALUE_TOO_LARGE",
      table,
      bytes: value.byteLength,
      maxBytes: MAX_VALUE_BYTES,
    });
  }
  if (!(ttlSeconds > 0 && ttlSeconds < Number.POSITIVE_INFINITY)) {
    return new StoreError({ code: "STORE_BAD_TTL", table, ttlSeconds });
  }
  return undefined;
}
