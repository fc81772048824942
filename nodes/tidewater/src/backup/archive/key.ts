import { createHmac, hkdfSync, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { reasonOf } from "../../explain.ts";
import { BackupError, fileFault } from "../errors.ts";
import type { Derivation, Header } from "./format.ts";

/** What the operator keeps a backup secret with. */
export interface KeySource {
  readonly by: Derivation["by"];
  readonly secret: Buffer;
}

const LEAST_PASSPHRASE = 12;
const LEAST_KEY_BYTES = 32;
const MAX_KEY_BYTES = 4_096;
const SALT_BYTES = 16;
/** 128 MiB and about half a second for each guess. */
const SCRYPT = { cost: 131_072, blockSize: 8, parallelization: 1 } as const;

/** @throws BackupError BACKUP_FILE for a file that cannot be used. */
export function keySourceOf(given: {
  readonly passphraseFile?: string | undefined;
  readonly keyFile?: string | undefined;
}): KeySource | undefined {
  const { passphraseFile, keyFile } = given;
  if (passphraseFile !== undefined && keyFile !== undefined)
    throw new Error("give --passphrase-file or --key-file, not both");
  if (passphraseFile !== undefined) {
    const [line = ""] = privateFile(passphraseFile).toString("utf8").split(/\r?\n/, 1);
    if (line.length < LEAST_PASSPHRASE)
      throw fileFault(passphraseFile, `its first line must have ${LEAST_PASSPHRASE} characters at least`);
    return { by: "passphrase", secret: Buffer.from(line.normalize("NFC")) };
  }
  if (keyFile === undefined) return undefined;
  const secret = privateFile(keyFile);
  if (secret.length < LEAST_KEY_BYTES)
    throw fileFault(
      keyFile,
      `must hold ${LEAST_KEY_BYTES} random octets at least: openssl rand -out ${keyFile} 32`,
    );
  return { by: "keyFile", secret };
}

/** A secret that only its owner may read. @throws BackupError BACKUP_FILE */
export function privateFile(file: string): Buffer {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (cause) {
    throw fileFault(file, reasonOf(cause), cause);
  }
  try {
    const { mode, size } = fstatSync(handle);
    if ((mode & 0o077) !== 0) throw fileFault(file, "may be read by others; chmod 600 it");
    if (size > MAX_KEY_BYTES) throw fileFault(file, `has more than ${MAX_KEY_BYTES} octets: it is no key`);
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

export interface ArchiveKey {
  readonly key: Buffer;
  readonly derivation: Derivation;
  readonly check: string;
}

/** A key of its own for each backup, so that its nonces may count from 0. */
export async function newArchiveKey({ by, secret }: KeySource): Promise<ArchiveKey> {
  const salt = randomBytes(SALT_BYTES).toString("base64");
  const derivation: Derivation = by === "passphrase" ? { by, salt, ...SCRYPT } : { by, salt };
  const key = await derive(secret, derivation);
  return { key, derivation, check: checkOf(key) };
}

/** @throws BackupError BACKUP_KEY when the secret is another one. */
export async function archiveKeyOf(source: KeySource, header: Header, file: string): Promise<Buffer> {
  const wanted = header.key.by;
  if (source.by !== wanted) {
    const option = wanted === "passphrase" ? "--passphrase-file" : "--key-file";
    const message = `${file} was taken with ${option}: give that`;
    throw new BackupError({ code: "BACKUP_KEY", file }, { message });
  }
  const key = await derive(source.secret, header.key);
  const given = Buffer.from(checkOf(key), "base64");
  const expected = Buffer.from(header.keyCheck, "base64");
  if (given.length === expected.length && timingSafeEqual(given, expected)) return key;
  const what = wanted === "passphrase" ? "passphrase" : "key";
  throw new BackupError(
    { code: "BACKUP_KEY", file },
    { message: `${file} was taken with another ${what} than this one` },
  );
}

function derive(secret: Buffer, derivation: Derivation): Promise<Buffer> {
  const salt = Buffer.from(derivation.salt, "base64");
  if (derivation.by === "keyFile")
    return Promise.resolve(Buffer.from(hkdfSync("sha256", secret, salt, "tidewater backup", 32)));
  const { cost, blockSize, parallelization } = derivation;
  const maxmem = 256 * cost * blockSize;
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, 32, { cost, blockSize, parallelization, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function checkOf(key: Buffer): string {
  return createHmac("sha256", key).update("key check").digest().subarray(0, 16).toString("base64");
}
