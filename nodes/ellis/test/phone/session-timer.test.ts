import assert from "node:assert/strict";
import { test } from "node:test";
import { pageModule } from "./modules.ts";

interface Agreed {
  readonly seconds: number;
  readonly isOurs: boolean;
}

interface Told {
  refresh(): void;
  expired(): void;
}

const { answerSessionExpires, agreedSessionExpires, SessionTimer } = await pageModule<{
  answerSessionExpires(request: object, response: object): Agreed | undefined;
  agreedSessionExpires(response: object): Agreed | undefined;
  readonly SessionTimer: new (told: Told) => { start(agreed: Agreed | undefined): void; stop(): void };
}>("sip/session-timer.js");
const { Message } = await pageModule<{
  readonly Message: {
    response(
      status: number,
      reason: string,
    ): { set(name: string, value: string): object; get(name: string): string };
  };
}>("sip/message.js");

const message = (fields: Readonly<Record<string, string>>) => {
  const made = Message.response(200, "OK");
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
};

test("RFC 4028 §9: who can refresh does, as it says; else it is the phone that answers", () => {
  for (const [fields, said, isOurs] of [
    [{ "Session-Expires": "1800", Supported: "timer" }, "1800;refresher=uac", false],
    [{ "Session-Expires": "90;refresher=uas", Supported: "path, timer" }, "90;refresher=uas", true],
    [{ "Session-Expires": "1800" }, "1800;refresher=uas", true],
  ] as const) {
    const response = message({});
    assert.equal(answerSessionExpires(message(fields), response)?.isOurs, isOurs);
    assert.equal(response.get("Session-Expires"), said);
    assert.equal(response.get("Require"), isOurs ? "" : "timer");
  }
  assert.equal(answerSessionExpires(message({}), message({})), undefined);
  assert.deepEqual(agreedSessionExpires(message({ "Session-Expires": "600;refresher=uas" })), {
    seconds: 600,
    isOurs: false,
  });
});

test("RFC 4028 §10: a session is refreshed at half of its interval, or over shortly before its end", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const heard: string[] = [];
  const timer = new SessionTimer({
    refresh: () => void heard.push("refresh"),
    expired: () => void heard.push("expired"),
  });
  timer.start({ seconds: 100, isOurs: true });
  t.mock.timers.tick(49_999);
  assert.deepEqual(heard, []);
  t.mock.timers.tick(1);
  assert.deepEqual(heard, ["refresh"]);
  timer.start({ seconds: 90, isOurs: false });
  t.mock.timers.tick(59_999);
  assert.deepEqual(heard, ["refresh"]);
  t.mock.timers.tick(1);
  assert.deepEqual(heard, ["refresh", "expired"]);
  timer.start({ seconds: 90, isOurs: false });
  timer.stop();
  t.mock.timers.tick(90_000);
  assert.equal(heard.length, 2);
});
