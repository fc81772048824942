import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ArchiveReader } from "../../src/backup/archive/archive-reader.ts";
import { type KeySource, keySourceOf } from "../../src/backup/archive/key.ts";
import { verifyArchive } from "../../src/backup/archive/verify.ts";
import { BackupError } from "../../src/backup/errors.ts";
import { listBackups } from "../../src/backup/list.ts";
import { folderOf, KEY, restore, silent, stateIn, take } from "./state-under-test.ts";

async function problemOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return error instanceof BackupError ? error.detail.code : String(error);
  }
}

async function verify(file: string, key: KeySource | undefined): Promise<void> {
  const reader = await ArchiveReader.open(file);
  try {
    if (key === undefined) await reader.checkDigest();
    else await verifyArchive(reader, await reader.unlock(key), silent);
  } finally {
    await reader.close();
  }
}

async function backupIn(t: TestContext): Promise<{ folder: string; file: string; bytes: Buffer }> {
  const folder = folderOf(t);
  const file = await take(stateIn(t, folder).dir, join(folder, "one.backup"));
  return { folder, file, bytes: readFileSync(file) };
}

test("a backup says what is in it to anybody, and who is in it to nobody", async (t) => {
  const { folder, file, bytes } = await backupIn(t);
  const [listed] = await listBackups(folder);
  assert.equal(listed?.state, "whole");
  assert.deepEqual(
    listed.state === "whole" && listed.manifest.files.map(({ name, tables }) => [name, tables]),
    [
      ["subscribers.db", [{ name: "subscriber", rows: 200 }]],
      ["simservs.db", [{ name: "simservs", rows: 1 }]],
      ["subscribers.key", undefined],
    ],
  );
  await verify(file, undefined);
  await verify(file, KEY);
  for (const secret of ["user1", "example.com", Buffer.alloc(32, 9), "<simservs/>"])
    assert.equal(bytes.includes(secret), false, String(secret));
});

test("wherever one byte is altered it is found out, with the key and without", async (t) => {
  const { folder, bytes } = await backupIn(t);
  const file = join(folder, "altered.backup");
  for (let round = 0; round < 60; round++) {
    const at = Math.floor(((bytes.length - 1) * round) / 59);
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 0x04;
    writeFileSync(file, altered);
    for (const key of [undefined, KEY]) {
      // The digest at the end does not guard itself with a key: what it guards is proven chunk by chunk then.
      const isDigest = at >= bytes.length - 44 && at < bytes.length - 12;
      const problem = await problemOf(verify(file, key));
      if (key === undefined || !isDigest) assert.notEqual(problem, "none", `byte ${at}`);
      assert.match(problem, /^(?:none|BACKUP_)/, `byte ${at}: ${problem}`);
    }
  }
});

test("who has no key cannot leave out, move or relabel a part, though every digest is made anew", async (t) => {
  const { folder, bytes } = await backupIn(t);
  const length = bytes.readUInt32BE(bytes.length - 12);
  const manifestAt = bytes.length - 44 - length;
  const framesAt = bytes.indexOf("\n", bytes.indexOf("\n") + 1) + 1;
  const frames: Buffer[] = [];
  for (let at = framesAt; at < manifestAt - 4; at += 4 + bytes.readUInt32BE(at))
    frames.push(bytes.subarray(at, at + 4 + bytes.readUInt32BE(at)));
  assert.ok(frames.length > 5);
  const header = bytes.subarray(0, framesAt);
  const manifest = bytes.subarray(manifestAt, manifestAt + length);
  const file = join(folder, "forged.backup");
  const forge = async (head: Buffer, parts: readonly Buffer[], list: Buffer): Promise<string> => {
    const content = Buffer.concat([head, ...parts, Buffer.alloc(4), list]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(list.length);
    const digest = createHash("sha256").update(content).digest();
    writeFileSync(file, Buffer.concat([content, digest, size, Buffer.from("TWBACKUP")]));
    assert.equal(await problemOf(verify(file, undefined)), "none");
    return problemOf(verify(file, KEY));
  };
  assert.equal(await forge(header, frames, manifest), "none");
  const [first = header, second = header, ...rest] = frames;
  assert.equal(await forge(header, [second, ...rest], manifest), "BACKUP_DAMAGED");
  assert.equal(await forge(header, [second, first, ...rest], manifest), "BACKUP_DAMAGED");
  assert.equal(await forge(header, frames.slice(0, -1), manifest), "BACKUP_DAMAGED");
  const other = Buffer.from(manifest.toString().replace('"rows":200', '"rows":201'));
  assert.equal(await forge(header, frames, other), "BACKUP_DAMAGED");
  const renamed = Buffer.from(header.toString().replace('"program":"test"', '"program":"best"'));
  assert.equal(await forge(renamed, frames, manifest), "BACKUP_DAMAGED");
});

test("what is cut off, foreign, or of a newer release is said to be just that, and nothing is restored from it", async (t) => {
  const { folder, bytes } = await backupIn(t);
  const file = join(folder, "other.backup");
  const problem = (content: Buffer | string): Promise<string> => {
    writeFileSync(file, content);
    return problemOf(restore(file, join(folder, "restored")));
  };
  for (const length of [5, 30, 100, 1_000, bytes.length - 20, bytes.length - 1])
    assert.equal(await problem(bytes.subarray(0, length)), "BACKUP_TRUNCATED", `${length}`);
  assert.equal(await problem(""), "BACKUP_FOREIGN");
  assert.equal(await problem("SQLite format 3\0".repeat(100)), "BACKUP_FOREIGN");
  const newer = Buffer.from(bytes.toString("latin1").replace("BACKUP 1\n", "BACKUP 2\n"), "latin1");
  assert.equal(await problem(newer), "BACKUP_NEWER");
  assert.equal(await problemOf(restore(join(folder, "none"), folder)), "BACKUP_FILE");
  assert.equal(await problemOf(restore(folder, folder)), "BACKUP_FILE");
  writeFileSync(join(folder, "notes.txt"), "not a backup, and not called one");
  const listed = await listBackups(folder);
  assert.deepEqual(
    listed.map((one) => [one.file, one.state]),
    [
      ["one.backup", "whole"],
      ["other.backup", "unusable"],
    ],
  );
});

test("another key or passphrase is told from damage, and so is one that others may read or guess", async (t) => {
  const { folder, file } = await backupIn(t);
  const other: KeySource = { by: "keyFile", secret: Buffer.alloc(32, 8) };
  assert.equal(await problemOf(verify(file, other)), "BACKUP_KEY");
  const phrase: KeySource = { by: "passphrase", secret: Buffer.from("correct horse battery") };
  assert.equal(await problemOf(verify(file, phrase)), "BACKUP_KEY");
  const secrets = mkdtempSync(join(folder, "secrets-"));
  const fileOf = (name: string, content: string | Buffer, mode = 0o600): string => {
    writeFileSync(join(secrets, name), content, { mode });
    return join(secrets, name);
  };
  const given = (passphraseFile: string): KeySource | undefined => keySourceOf({ passphraseFile });
  assert.throws(() => given(fileOf("short", "too short\n")), /12 characters/);
  assert.throws(() => given(fileOf("open", "long enough, but\n", 0o644)), /may be read by others/);
  assert.throws(() => keySourceOf({ keyFile: fileOf("few", Buffer.alloc(31)) }), /32 random octets/);
  assert.throws(() => keySourceOf({ keyFile: fileOf("many", Buffer.alloc(5_000)) }), /no key/);
  assert.throws(() => keySourceOf({ keyFile: join(secrets, "none") }), /no such file/);
  assert.throws(() => keySourceOf({ keyFile: "a", passphraseFile: "b" }), /not both/);
  assert.equal(
    given(fileOf("good", "  long enough for it \nsecond line"))?.secret.toString(),
    "  long enough for it ",
  );
});

test("a backup under a passphrase is restored with it alone", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder, 5);
  const phrase: KeySource = { by: "passphrase", secret: Buffer.from("correct horse battery") };
  const wrong: KeySource = { by: "passphrase", secret: Buffer.from("correct horse batterz") };
  const file = await take(dir, join(folder, "one.backup"), phrase);
  close();
  copyFileSync(join(dir, "subscribers.key"), join(folder, "kept"));
  rmSync(dir, { recursive: true });
  assert.equal(await problemOf(restore(file, dir, { key: wrong })), "BACKUP_KEY");
  await restore(file, dir, { key: phrase });
  assert.deepEqual(readFileSync(join(dir, "subscribers.key")), readFileSync(join(folder, "kept")));
});
