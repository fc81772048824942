import assert from "node:assert/strict";
import { test } from "node:test";
import { type KvStore, memoryStore } from "@ims/store";
import { Bench } from "../support/bench.ts";

test("RFC 3263 §4.3: a member that has just lost its stores, perhaps alone, says 503 so that another one is asked; later 500, for all have", async () => {
  let up = true;
  const gone = { kind: "unavailable", cause: new Error("gone") } as const;
  const bench: Bench = new Bench({ shared: { store: switchable() } });
  bench.cx.subscribers.push({ impi: "alice@example.com", impus: ["sip:alice@example.com"] });
  function switchable(): KvStore {
    let inner: KvStore | undefined;
    const store = (): KvStore => (inner ??= memoryStore({ clock: bench.clock }));
    return {
      get: async (...args) => (up ? store().get(...args) : gone),
      put: async (...args) => (up ? store().put(...args) : gone),
      delete: async (...args) => (up ? store().delete(...args) : gone),
    };
  }
  let cseq = 1;
  const register = async (): Promise<number> => {
    const answer = await bench.exchange(bench.register({ cseq: cseq++ }));
    if (answer.status >= 500) assert.match(answer.header("Retry-After") ?? "", /^\d+$/);
    return answer.status;
  };
  const call = async (): Promise<number> =>
    (
      await bench.exchange(
        bench.request("MESSAGE", {
          uri: "sip:alice@example.com",
          headers: ["Route: <sip:127.0.0.1:5054;transport=tcp;lr>"],
        }),
      )
    ).status;
  assert.equal(await register(), 401);
  up = false;
  assert.deepEqual([await register(), await call()], [503, 503]);
  await bench.advance(1_500);
  assert.equal(await register(), 503);
  await bench.advance(1_600);
  assert.deepEqual([await register(), await call()], [500, 500]);
  up = true;
  assert.equal(await register(), 401);
  await bench.advance(2_500);
  up = false;
  assert.equal(await register(), 503);
});
