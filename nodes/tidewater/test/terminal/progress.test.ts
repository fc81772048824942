import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { progressOn } from "../../src/terminal/progress.ts";
import { atTerminal, piped, shown } from "./terminal-under-test.ts";

/** What is written, with a clock that is set. */
function stream(isTTY: boolean): {
  written: string[];
  clock: { now: number };
  progress: ReturnType<typeof progressOn>;
} {
  const written: string[] = [];
  const clock = { now: 1_000 };
  const to = { isTTY, columns: 70, write: (text: string) => written.push(text) };
  return { written, clock, progress: progressOn(to, () => clock.now) };
}

test("at a terminal one line is written over, with a bar and the time left where the end is known", () => {
  const { written, clock, progress } = stream(true);
  progress.say("rows", 0, 200);
  clock.now += 50;
  progress.say("rows", 10, 200);
  clock.now += 3_950;
  progress.say("rows", 100, 200);
  clock.now += 10;
  progress.say("rows", 200, 200);
  progress.line("something to read");
  clock.now += 100;
  progress.say("tables", 12_345);
  progress.end();
  progress.end();
  assert.deepEqual(written, [
    "\r[........................]   0 %  rows: 0 of 200\u001b[K",
    "\r[############............]  50 %  rows: 100 of 200, 4 s left\u001b[K",
    "\r[########################] 100 %  rows: 200 of 200\u001b[K",
    "\r\u001b[K",
    "something to read\n",
    "\rtables: 12,345\u001b[K",
    "\r\u001b[K",
  ]);
});

test("a line is never longer than the terminal is wide; what has no end has no bar; what is empty is done", () => {
  const { written, clock, progress } = stream(true);
  progress.say("x".repeat(200), 1, 2);
  clock.now += 200;
  progress.say("nothing", 0, 0);
  assert.equal(written[0]?.replaceAll(/\r|\u001b\[K/g, "").length, 69);
  assert.match(written[1] ?? "", /100 % {2}nothing: 0 of 0/);
});

test("elsewhere there are plain lines, one each ten seconds, and none for what is done before", () => {
  const { written, clock, progress } = stream(false);
  for (let count = 0; count <= 250; count++) {
    progress.say("rows", count, 1_000);
    clock.now += 100;
  }
  progress.line("something to read");
  progress.end();
  assert.deepEqual(written, [
    "10 %  rows: 100 of 1,000, 90 s left\n",
    "20 %  rows: 200 of 1,000, 80 s left\n",
    "something to read\n",
  ]);
});

async function provisioning(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const { subscribers = [], dryRun } = JSON.parse(body) as { subscribers?: unknown[]; dryRun?: boolean };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ applied: dryRun === true ? 0 : subscribers.length, rows: [] }));
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("tidewater subscriber import: a bar at a terminal, which is gone in the end; in a pipe nothing but the outcome", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-progress-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "rows.csv");
  const rows = Array.from({ length: 4_500 }, (_, index) => `user${index}@example.com,secret${index}`);
  writeFileSync(file, `impi,password\n${rows.join("\n")}\n`);
  const url = await provisioning(t);
  const args = ["subscriber", "import", file, "--url", url];
  const drawn = atTerminal(t, args);
  const text = piped(t, args);
  assert.deepEqual([await drawn.exitCode(), await text.exitCode()], [0, 0], drawn.out + text.err);
  assert.match(drawn.out, /\[#+\.*\] +[0-9]+ % {2}checked, bytes: [0-9,]+ of [0-9,]+/);
  assert.match(drawn.out, /\[#+\.*\] +[0-9]+ % {2}written, rows: [0-9,]+ of 4,500/);
  assert.deepEqual(shown(drawn.out).lines.slice(0, 2), ["4500 rows, 0 wrong, 4500 written", "[exit 0]"]);
  assert.deepEqual([text.out, text.err], ["4500 rows, 0 wrong, 4500 written\n", ""]);
});
