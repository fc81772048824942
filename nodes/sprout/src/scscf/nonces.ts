import { randomFillSync } from "node:crypto";

const NONCE_BYTES = 18;
const POOL_BYTES = NONCE_BYTES * 256;

/** Nonces of 144 random bits; randomness is fetched for many at a time. */
export function nonceGenerator(): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = POOL_BYTES;
  return () => {
    if (at === POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    at += NONCE_BYTES;
    return pool.toString("base64url", at - NONCE_BYTES, at);
  };
}
