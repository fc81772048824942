import assert from "node:assert/strict";
import type { EllisUnderTest } from "./ellis-under-test.ts";

/**
 * Makes the event loop of an ellis (`httpOverloadFloor: 1`) late, as its clock sees it, until it refuses requests. The clock stands
 * still then: nothing that is limited is taken, and refusals go out when `refuse` lets time pass.
 */
export async function makeBusy({ ask, clock, metrics }: EllisUnderTest): Promise<{
  /** Lets the refusals out that wait; the loop stays late. */
  refuse(): void;
  /** The loop is in time again, and nothing is refused any more. */
  end(): void;
}> {
  const late = (ms: number): void => {
    clock.stall(ms);
    clock.advance(0);
  };
  // Little more than what is always taken (one a second), so that the time refusals take lets nothing in.
  for (let look = 0; look < 2; look++) {
    for (const { status } of await Promise.all(Array.from({ length: 15 }, () => ask("GET", "/ping"))))
      assert.equal(status, 200);
    late(10_000);
  }
  assert.match(await metrics(), /^ims_ellis_http_admission_rate [1-9]/m);
  return {
    refuse: () => late(400),
    end: () => clock.advance(2_000),
  };
}
