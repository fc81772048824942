import assert from "node:assert/strict";
import { test } from "node:test";
import { Hop } from "../../src/failover/hop.ts";
import { type HopState, hopTroubles, type Target, unreachableSide } from "../../src/index.ts";

function hop(side: string, address: string, state: HopState): Hop {
  const target: Target = { protocol: "TCP", address, port: 5052 };
  const made = new Hop(`${side}|${address}`, target, side, 1);
  made.state = state;
  return made;
}

test("hops out of service are troubles, by side and address; those that are no longer ours do not count", () => {
  const hops = [
    hop("core", "10.0.0.1", "down"),
    hop("core", "10.0.0.2", "suspect"),
    hop("icscf", "10.0.0.3", "down"),
  ];
  assert.deepEqual(
    hopTroubles(hops).map(({ object }) => object),
    ["core TCP 10.0.0.1:5052", "icscf TCP 10.0.0.3:5052"],
  );
  assert.deepEqual(
    hopTroubles(hops, (address) => address !== "10.0.0.1").map(({ object }) => object),
    ["icscf TCP 10.0.0.3:5052"],
  );
});

test("a side is unreachable when all its hops are out of service, not before one was needed", () => {
  assert.equal(unreachableSide([], "core"), undefined);
  assert.equal(unreachableSide([hop("icscf", "10.0.0.1", "down")], "core"), undefined);
  const [down, up] = [hop("core", "10.0.0.1", "down"), hop("core", "10.0.0.2", "up")];
  assert.equal(unreachableSide([down, up], "core"), undefined);
  assert.match(unreachableSide([down], "core") ?? "", /^all 1 next hops/);
});
