import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentsOf, folderOf, namesIn, stateIn, take } from "./state-under-test.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

/** `largest`: what a file may take, in blocks of 512 bytes: beyond it a write fails as on a full disk. */
function run(
  args: readonly string[],
  largest?: number,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const program = [process.execPath, PROGRAM, ...args];
  const limit = `ulimit -f ${largest}; exec "$@"`;
  const [command = "", ...rest] = largest === undefined ? program : ["sh", "-c", limit, "sh", ...program];
  return new Promise((resolve) => {
    const child = spawn(command, rest);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
  });
}

test("tidewater backup, backups and restore: what is taken is listed, checked and brought back", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder);
  const before = contentsOf(dir);
  const backups = mkdtempSync(join(folder, "backups-"));
  const key = join(folder, "key");
  writeFileSync(key, Buffer.alloc(32, 5), { mode: 0o600 });

  const taken = await run(["backup", backups, "--state-dir", dir, "--key-file", key]);
  assert.deepEqual([taken.exitCode, taken.stderr], [0, ""]);
  assert.match(taken.stdout, /\.backup: \d+ bytes; subscriber 200, simservs 1, a key\n$/);
  const [name = ""] = namesIn(backups);
  const file = join(backups, name);

  const listed = await run(["backups", "list", backups]);
  assert.equal(listed.exitCode, 0);
  assert.match(
    listed.stdout,
    new RegExp(`^\\d{4}-.*  ${name}  \\d+ bytes  subscriber 200, simservs 1, a key\n$`),
  );
  const whole = await run(["backups", "verify", file]);
  assert.deepEqual([whole.exitCode, /whole \(what is in it was not opened/.test(whole.stdout)], [0, true]);
  const readable = await run(["backups", "verify", file, "--key-file", key, "--json"]);
  assert.equal(readable.exitCode, 0);
  assert.equal(JSON.parse(readable.stdout).opened, true);

  close();
  rmSync(dir, { recursive: true });
  const back = await run(["restore", file, "--state-dir", dir, "--key-file", key]);
  assert.deepEqual([back.exitCode, back.stderr], [0, ""]);
  assert.match(back.stdout, /^restored .*: files subscribers\.db, simservs\.db, subscribers\.key\n$/);
  assert.deepEqual(contentsOf(dir), before);

  writeFileSync(file, readFileSync(file).subarray(0, 2_000));
  const cut = await run(["backups", "list", backups]);
  assert.deepEqual([cut.exitCode, /^UNUSABLE {2}.* ends too early/.test(cut.stdout)], [1, true]);
});

test("what is missing or does not fit is said in a line, with what to do, and changes nothing", async (t) => {
  const folder = folderOf(t);
  const { dir } = stateIn(t, folder, 5);
  const file = await take(dir, join(folder, "one.backup"));
  const key = join(folder, "key");
  writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
  const before = namesIn(folder);
  const cases: [readonly string[], number, RegExp][] = [
    [["backup", folder], 1, /give --passphrase-file or --key-file/],
    [["backup", folder, "--key-file", key], 1, /nothing to back up: give --state-dir or --cassandra/],
    [["backup", folder, "--key-file", key, "--cassandra", "127.0.0.1:1"], 1, /give --subscriber-key-file/],
    [["backup", folder, "--key-file", key, "--cassandra-keyspace", "X;Y"], 2, /Small letters/],
    [["restore", file, "--key-file", key], 1, /holds files of a state directory .*: give --state-dir/],
    [["restore", key, "--key-file", key, "--state-dir", dir], 1, /is no backup of tidewater .*etcd-admin/],
    [["backups", "verify", file, "--key-file", file], 1, /taken with another key than this one/],
  ];
  for (const [args, exitCode, says] of cases) {
    const ended = await run(args);
    assert.deepEqual([ended.exitCode, ended.stdout], [exitCode, ""], `${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, says, args.join(" "));
    assert.doesNotMatch(ended.stderr, /\n\s+at /, "no stack");
  }
  assert.deepEqual(namesIn(folder), before);
});

test("on a full disk no backup and no half restored file is left", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder, 2_000);
  const backups = mkdtempSync(join(folder, "backups-"));
  const key = join(folder, "key");
  writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
  const full = await run(["backup", backups, "--state-dir", dir, "--key-file", key], 256);
  assert.equal(full.exitCode, 1);
  assert.match(full.stderr, /^tidewater: .*(?:full|too large|disk I\/O)/);
  assert.deepEqual(namesIn(backups), []);

  const file = await take(dir, backups);
  const before = contentsOf(dir);
  close();
  const restored = join(folder, "restored");
  mkdirSync(restored);
  assert.ok(statSync(join(dir, "subscribers.db")).size > 256 * 512);
  const half = await run(["restore", file, "--state-dir", restored, "--key-file", key], 256);
  assert.equal(half.exitCode, 1);
  assert.match(half.stderr, /^tidewater: .*too large/);
  assert.deepEqual(
    namesIn(restored).filter((name) => !name.startsWith(".")),
    [],
  );
  const again = await run(["restore", file, "--state-dir", restored, "--key-file", key]);
  assert.deepEqual([again.exitCode, again.stderr], [0, ""]);
  assert.deepEqual(contentsOf(restored), before);
});
