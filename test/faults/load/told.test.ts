import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsOf } from "../run/audit-stores.ts";
import { Told, type ToldLine } from "./told.ts";

const line = (change: Partial<ToldLine> = {}): ToldLine => ({
  ...{
    aor: "sip:a@example.com",
    contact: "sip:d1@127.0.0.1:1",
    expiresAt: 1000,
    callId: "c",
    cseq: 1,
    at: 0,
  },
  ...change,
});

test("RFC 5626 §6: a device that comes by another flow has given up its old contact", () => {
  const told = new Told();
  told.accepted("d1", line());
  told.accepted("d1", line({ contact: "sip:d1@127.0.0.1:2", at: 500, expiresAt: 1500 }));
  assert.deepEqual(told.lines(), [
    line({ at: 500, expiresAt: 500 }),
    line({ contact: "sip:d1@127.0.0.1:2", at: 500, expiresAt: 1500 }),
  ]);
  told.accepted("d1", line({ at: 600 }));
  assert.equal(told.lines().length, 2, "and back");
});

test("nothing is said about a contact whose last REGISTER was not answered", () => {
  const told = new Told();
  told.accepted("d1", line());
  told.uncertain("d1");
  assert.deepEqual(told.lines(), []);
});

test("findings of the binding audit are violations, and so is an audit that could not be made", () => {
  const finding = { kind: "lost", aor: "a", contact: "c", store: "memcached", problem: "no such binding" };
  const rules = (output: string): string[] => findingsOf(output).map(({ rule }) => rule);
  assert.deepEqual(rules(JSON.stringify({ findings: [finding] })), ["binding lost"]);
  assert.deepEqual(rules(JSON.stringify({ findings: [{ ...finding, kind: "differing" }] })), [
    "stores differ",
  ]);
  assert.deepEqual(rules(JSON.stringify({ findings: [] })), []);
  assert.deepEqual(rules("tidewater: no store answers"), ["undecided"]);
});
