import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const RECORDING = join(import.meta.dirname, "recording.ts");
const COUNT = 5_000;
const MOST_WAITING = 3_000;

interface State {
  readonly queued: number;
  readonly written: number;
  readonly dropped: number;
  readonly problem: string;
}

test("a disk that is full: what is written stays whole, the rest waits within its bound; with room again it follows, each record once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "full-disk-"));
  // Files of 32 kB at most: what is beyond that fails as on a full disk.
  const child = spawn(
    "sh",
    [
      ...["-c", 'ulimit -S -f 64; exec "$@"', "sh", process.execPath, RECORDING],
      ...[folder, String(COUNT), String(MOST_WAITING)],
    ],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const state = async (): Promise<State> => {
    child.send("state");
    const [answer] = (await once(child, "message")) as [State];
    return answer;
  };
  const until = async (what: string, is: (state: State) => boolean): Promise<State> => {
    for (const end = Date.now() + 20_000; ; ) {
      const now = await state();
      if (is(now)) return now;
      assert.ok(Date.now() < end, `${what}: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const numbers = (): number[] =>
    readdirSync(folder)
      .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
      .map((line) => (JSON.parse(line) as { n: number }).n);

  const full = await until("it says so", ({ problem }) => problem !== "");
  assert.match(full.problem, /too large|no space/);
  assert.equal(full.written + full.queued + full.dropped, COUNT);
  assert.equal(full.dropped, COUNT - MOST_WAITING);
  assert.ok(full.written > 0 && full.queued > 0, JSON.stringify(full));
  assert.deepEqual(
    numbers(),
    Array.from({ length: full.written }, (_, n) => n),
    "no half lines",
  );

  execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited:"]);
  const after = await until("all is written", ({ queued }) => queued === 0);
  assert.equal(after.problem, "");
  child.send("end");
  await once(child, "exit");
  assert.deepEqual(
    numbers(),
    Array.from({ length: MOST_WAITING }, (_, n) => n),
  );
});
