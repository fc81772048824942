import assert from "node:assert/strict";

/** Waits for datagrams on loopback; says what did not come. */
export async function until(what: string, is: () => boolean, withinMs = 3_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!is()) {
    if (performance.now() > deadline) assert.fail(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
