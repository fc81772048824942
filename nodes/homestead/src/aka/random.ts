import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4096;

/** Random challenges of 16 octets out of a pool that is filled 256 at a time. */
export function randomChallenges(): () => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += 16;
    return pool.slice(used - 16, used);
  };
}
