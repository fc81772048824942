import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry } from "@ims/api";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { Strangers } from "../../src/audit/strangers.ts";

function start() {
  const clock = fakeClock();
  const log = memoryLogger("trace");
  const written: AuditEntry[] = [];
  let answer: "written" | "unavailable" = "written";
  const audit = {
    append: async (entry: AuditEntry) => {
      written.push(entry);
      return answer;
    },
  };
  const strangers = new Strangers({ audit, clock, log });
  const add = (from: string, action = "login", who = ""): void =>
    strangers.add({
      ...{ at: new Date(clock.now()).toISOString(), who, action, from },
      ...{ outcome: "refused", status: 403 },
    });
  return {
    ...{ clock, log, written, strangers, add },
    away: () => {
      answer = "unavailable";
    },
  };
}

test("the first of a kind is written within a second, those alike are one entry that counts them", async () => {
  const { clock, written, add } = start();
  for (let at = 0; at < 50; at++) add("192.0.2.1");
  add("192.0.2.1", "subscriber.add");
  assert.deepEqual(written, []);
  clock.advance(1_000);
  assert.deepEqual(
    written.map(({ action, repeated }) => [action, repeated]),
    [
      ["login", undefined],
      ["subscriber.add", undefined],
    ],
  );
  clock.advance(599_000);
  assert.deepEqual(
    written.slice(2).map(({ action, from, repeated }) => [action, from, repeated]),
    [["login", "192.0.2.1", 49]],
  );
  // Another period: it is written again.
  add("192.0.2.1");
  clock.advance(1_000);
  assert.equal(written.length, 4);
});

test("addresses of one IPv6 network are one; more kinds than have entries share one, which names some of those that were guessed at", () => {
  const { clock, written, add } = start();
  for (let at = 0; at < 100; at++) add(`2001:db8::${at.toString(16)}`);
  for (let at = 0; at < 1_000; at++) add(`192.0.2.${at % 256}`, "login", `u${at}@example.com`);
  clock.advance(600_000);
  assert.equal(written.length, 16 + 1 + 1);
  const [network, others] = written.slice(-2);
  assert.deepEqual([network?.repeated, network?.from], [99, "2001:db8::63"]);
  assert.deepEqual(
    [others?.repeated, others?.from, others?.detail],
    [
      985,
      "",
      "login 985; as u15@example.com, u16@example.com, u17@example.com, u18@example.com, u19@example.com",
    ],
  );
});

test("what is known when ellis stops is written, and what the store does not take is in the log", async () => {
  const { written, strangers, add, log, away } = start();
  add("192.0.2.1");
  add("192.0.2.1");
  await strangers.stop();
  assert.equal(written.length, 2);
  away();
  add("192.0.2.1");
  await strangers.stop();
  assert.equal(JSON.stringify(log.lines).match(/not in the audit log/g)?.length, 1);
});
