import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { blamesServerBehind, type SipMessage } from "@ims/sip";
import type { CxUnavailable } from "../../src/cx/cx.ts";
import { type Bench, benchWithUsers, SCSCF } from "../support/bench.ts";

const TOO_BUSY: CxUnavailable = {
  kind: "unavailable",
  cause: "DIAMETER_TOO_BUSY",
  answered: true,
  busy: true,
};
const AT_SCSCF = `Route: <${SCSCF};lr>`;

function isComeBackLater(answer: SipMessage): void {
  assert.equal(answer.status, 503, String(answer));
  const seconds = Number(answer.header("Retry-After"));
  assert.ok(seconds >= 5 && seconds <= 20, `Retry-After: ${seconds}`);
  assert.ok(blamesServerBehind(answer), "nobody asks another member");
}

async function message(b: Bench, uri: string, ...headers: readonly string[]): Promise<SipMessage> {
  return b.exchange(b.request("MESSAGE", { uri, headers }), headers.length > 0 ? b.toScscf : b.toIcscf);
}

test("RFC 6733 §7.1.3, RFC 3261 §21.5.4: an HSS that is too busy makes 503 of whatever needs it, with a time to come back", async () => {
  const b = benchWithUsers();
  b.cx.next.UAR.push(TOO_BUSY);
  isComeBackLater(await b.exchange(b.register()));
  b.cx.next.MAR.push(TOO_BUSY);
  isComeBackLater(await b.exchange(b.register()));
  const challenged = await b.exchange(b.register());
  b.cx.next.SAR.push(TOO_BUSY);
  isComeBackLater(await b.exchange(b.register({ authorization: b.answerTo(challenged) })));
  b.cx.next.LIR.push(TOO_BUSY);
  isComeBackLater(await message(b, "sip:bob@example.com"));
  b.cx.next.SAR.push(TOO_BUSY);
  isComeBackLater(await message(b, "sip:bob@example.com", AT_SCSCF));
  b.cx.next.SAR.push(TOO_BUSY);
  const originating = `Route: <${SCSCF};lr;orig>`;
  isComeBackLater(
    await message(
      b,
      "sip:bob@example.com",
      originating,
      "P-Served-User: <sip:alice@example.com>;sescase=orig;regstate=unreg",
    ),
  );
  // Nothing of it stays.
  await b.registered();
});

test("RFC 3261 §20.33: UEs that an HSS kept waiting do not come back together", async () => {
  const b = benchWithUsers();
  const times = new Set<string>();
  for (let n = 0; n < 60; n++) {
    b.cx.next.UAR.push(TOO_BUSY);
    const answer = await b.exchange(b.register({ callId: hash("md5", String(n)) }));
    times.add(answer.header("Retry-After") ?? "");
  }
  assert.ok(times.size > 12, [...times].join(" "));
});
