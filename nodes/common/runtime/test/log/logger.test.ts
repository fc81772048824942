import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, SECRET_FIELDS } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";

test("no secret reaches a line, at the top or two levels down", () => {
  const log = memoryLogger();
  const secrets = Object.fromEntries(SECRET_FIELDS.map((field) => [field, "TELLTALE"]));
  log.info({ ...secrets, one: secrets, outer: { inner: secrets } }, "registered");
  log.child(secrets).warn({ impu: "sip:a@example.com" }, "child");
  assert.equal(log.lines.length, 2);
  assert.ok(!JSON.stringify(log.lines).includes("TELLTALE"));
  assert.equal(log.lines[1]?.["impu"], "sip:a@example.com");
});

test("a line says level, time and node", () => {
  const log = memoryLogger();
  log.error({ err: new Error("why") }, "what");
  const [line] = log.lines;
  assert.equal(line?.["level"], "error");
  assert.equal(line?.["node"], "test");
  assert.equal(line?.["msg"], "what");
  assert.match(String(line?.["time"]), /^\d{4}-\d\d-\d\dT/);
  assert.match(JSON.stringify(line?.["err"]), /"message":"why"/);
});

test("lines below the level are not written", () => {
  const lines: string[] = [];
  const log = createLogger({
    name: "n",
    level: "warn",
    destination: { write: (line) => void lines.push(line) },
  });
  log.info({}, "no");
  log.warn({}, "yes");
  assert.equal(lines.length, 1);
});
