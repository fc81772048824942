import assert from "node:assert/strict";
import { test } from "node:test";
import { unexpectedStatuses } from "../../support/sipp.ts";

test("what ended calls is counted by status line or method, as SIPp writes it", () => {
  const aborted = (received: string): string =>
    `2026-11-22\t19:50:00.1\t1: Aborting call on unexpected message for Call-Id '1-2@127.0.0.1': while expecting '100' (index 1), received '${received}\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n'.\n`;
  const errors = [
    aborted("SIP/2.0 503 Service Unavailable"),
    aborted("SIP/2.0 503 Service Unavailable"),
    aborted("BYE sip:b@127.0.0.1 SIP/2.0"),
    "The following events occurred:\n",
  ].join("");
  assert.deepEqual(
    [...unexpectedStatuses(errors)],
    [
      ["503 Service Unavailable", 2],
      ["BYE", 1],
    ],
  );
  assert.equal(unexpectedStatuses("").size, 0);
});
