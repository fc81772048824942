import assert from "node:assert/strict";
import { test } from "node:test";
import { ImsError } from "@ims/runtime";

class PeerError extends ImsError<{ code: "PEER_CLOSED"; originHost: string; afterMs: number }> {}

test("an error carries its code, its facts and its cause, and says them in one line", () => {
  const cause = new Error("ECONNRESET");
  const error = new PeerError({ code: "PEER_CLOSED", originHost: "hss.example.com", afterMs: 5 }, { cause });
  assert.equal(error.name, "PeerError");
  assert.equal(error.message, "PEER_CLOSED originHost=hss.example.com afterMs=5");
  assert.deepEqual(error.detail, { code: "PEER_CLOSED", originHost: "hss.example.com", afterMs: 5 });
  assert.equal(error.cause, cause);
  assert.ok(error instanceof ImsError && error instanceof Error);
});
