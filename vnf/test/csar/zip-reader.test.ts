import assert from "node:assert/strict";
import { test } from "node:test";
import { readZip, ZIP_LIMITS } from "../../src/csar/zip-reader.ts";
import { writeZip } from "../../src/csar/zip-writer.ts";

const FILES = new Map([
  ["a/one.txt", Buffer.from("one ".repeat(1000))],
  ["b.bin", Buffer.from([0, 1, 2, 255])],
  ["empty", Buffer.alloc(0)],
]);

function problem(bytes: Buffer, limits = ZIP_LIMITS): string {
  const read = readZip(bytes, limits);
  assert.ok(read.kind === "bad", "was read");
  assert.ok(read.remedy.length > 5);
  return read.problem;
}

/** An archive with one text replaced by another of the same length, wherever it stands. */
function altered(from: string, to: string, files = FILES): Buffer {
  assert.equal(from.length, to.length);
  const bytes = writeZip(files);
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) bytes.write(to, at);
  return bytes;
}

function directoryOf(bytes: Buffer): number {
  return bytes.readUInt32LE(bytes.length - 6);
}

test("what is packed is unpacked, and no archive at all is told", () => {
  const read = readZip(writeZip(FILES));
  assert.ok(read.kind === "files");
  assert.deepEqual(
    [...read.files].map(([name, bytes]) => [name, Buffer.from(bytes)]),
    [...FILES],
  );
  assert.match(problem(Buffer.from("no archive at all")), /no ZIP archive/);
  assert.match(problem(Buffer.alloc(0)), /no ZIP archive/);
});

test("a truncated archive is refused, wherever it ends", () => {
  const whole = writeZip(FILES);
  for (let length = 0; length < whole.length; length += 7) problem(whole.subarray(0, length));
});

test("a changed byte never gets past the reader unnoticed, and never throws", () => {
  const whole = writeZip(FILES);
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x55;
    const read = readZip(bytes);
    if (read.kind === "files")
      for (const [name, content] of read.files)
        if (FILES.has(name)) assert.deepEqual(Buffer.from(content), FILES.get(name), `byte ${at}`);
  }
});

test("paths that lead out of the package are refused", () => {
  for (const name of [
    "../../a.tx",
    "/etc/pass",
    "a/../../b.",
    "c:\\windows",
    "a\\..\\b.tx",
    "a//bbb.txt",
    "./bbbb.txt",
  ]) {
    const plain = "x".repeat(name.length);
    assert.match(
      problem(altered(plain, name, new Map([[plain, Buffer.from("x")]]))),
      /leads out of the package/,
      name,
    );
  }
});

test("a name that stands twice, a link, an encrypted file and another method are refused", () => {
  assert.match(
    problem(
      altered(
        "b.txt",
        "a.txt",
        new Map([
          ["a.txt", Buffer.from("1")],
          ["b.txt", Buffer.from("2")],
        ]),
      ),
    ),
    /stands twice/,
  );
  const link = writeZip(FILES);
  link.writeUInt32LE(0o120777 * 0x10000, directoryOf(link) + 38);
  assert.match(problem(link), /is a link/);
  const secret = writeZip(FILES);
  secret.writeUInt16LE(1, directoryOf(secret) + 8);
  assert.match(problem(secret), /is encrypted/);
  const strange = writeZip(FILES);
  strange.writeUInt16LE(99, directoryOf(strange) + 10);
  assert.match(problem(strange), /another header/);
});

test("bombs are refused before they are unpacked: too many, too large, too dense, overlapping, larger than told", () => {
  assert.match(problem(writeZip(FILES), { ...ZIP_LIMITS, entries: 2 }), /3 files/);
  assert.match(problem(writeZip(FILES), { ...ZIP_LIMITS, bytes: 1000 }), /more than 1000 bytes/);
  assert.match(
    problem(writeZip(new Map([["zeros", Buffer.alloc(8 * 1024 * 1024)]]))),
    /would unpack to 8388608/,
  );
  const lying = writeZip(new Map([["zeros", Buffer.alloc(100_000)]]));
  lying.writeUInt32LE(10, directoryOf(lying) + 24);
  assert.match(problem(lying), /unpacks to more than it tells/);
  const two = writeZip(
    new Map([
      ["a", Buffer.from("1")],
      ["b", Buffer.from("1")],
    ]),
  );
  const second = directoryOf(two) + 47;
  two.writeUInt32LE(0, second + 42);
  assert.match(problem(two), /another header|shares its bytes/);
});
