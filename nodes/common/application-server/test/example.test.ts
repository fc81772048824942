import assert from "node:assert/strict";
import { test } from "node:test";
import quietHours from "../example/quiet-hours.ts";
import { ServerBench } from "../testing/index.ts";

const NIGHT = { from: "22:00", until: "07:00" };
const VOICEMAIL = "sip:voicemail@127.0.0.1:5054;transport=tcp";
const HOUR_MS = 3_600_000;

test("quiet hours: a call at night is refused, the second one of the same caller rings, by day every one", async () => {
  const b = await ServerBench.of(quietHours, { settings: NIGHT });
  assert.deepEqual(
    (await b.ask()).map(({ status }) => status),
    [480],
  );
  const [again] = await b.ask();
  assert.equal(again?.requestUri, "sip:bob@example.com");
  await b.advance(HOUR_MS);
  assert.equal((await b.ask())[0]?.status, 480, "three minutes are long over");
  await b.advance(8 * HOUR_MS);
  assert.equal((await b.ask())[0]?.method, "INVITE");
  assert.match(await b.register.scrape(), /ims_as_quiet_hours_calls_total\{outcome="refused"\} 2/);
  assert.deepEqual(b.failures, []);
});

test("quiet hours: calls go to voicemail where there is one; what it refuses is 480; calls of the subscriber are not looked at", async () => {
  const b = await ServerBench.of(quietHours, { settings: { ...NIGHT, voicemail: VOICEMAIL } });
  const [diverted] = await b.ask();
  assert.equal(diverted?.requestUri, VOICEMAIL);
  assert.ok(diverted);
  const left = (await b.answer(diverted, 486)).map(({ method, status }) => status || method);
  assert.deepEqual(left.sort(), [480, "ACK"]);
  const served = { impu: "sip:alice@example.com", sessionCase: "orig" } as const;
  assert.equal((await b.ask({ served }))[0]?.requestUri, "sip:bob@example.com");
  assert.equal((await b.ask({ method: "MESSAGE" }))[0]?.method, "MESSAGE");
});

test("quiet hours: settings that will not do are told", async () => {
  await assert.rejects(
    ServerBench.of(quietHours, { settings: { from: "25:00" } }),
    /settings\.from has to be/,
  );
  await assert.rejects(ServerBench.of(quietHours, { settings: { ...NIGHT, voicemail: 1 } }), /voicemail/);
});
