import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { runProgram } from "../cluster-manager/cassandra/nodetool.ts";
import type { EtcdClient } from "../etcd/client.ts";
import { EtcdError } from "../etcd/errors.ts";

/** SHA-256 at the end of a snapshot. */
const DIGEST = 32;
/** What is before it is pages of this size. */
const PAGE = 512;
const CHUNK = 1024 * 1024;

export interface Snapshot {
  /** Of the file, with its digest. */
  readonly bytes: number;
  /** Of etcd when it was taken. */
  readonly revision: number;
  readonly keys: number;
}

/**
 * Takes a snapshot of etcd into a file that only we may read: it appears under its name when it is whole, checked and on disk.
 * @throws EtcdError
 */
export async function saveSnapshot(client: EtcdClient, path: string, signal: AbortSignal): Promise<Snapshot> {
  const beside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    const file = await open(beside, "wx", 0o600);
    try {
      for await (const piece of client.snapshot(signal)) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    const snapshot = await verifySnapshot(beside);
    await rename(beside, path);
    return snapshot;
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Its digest is that of its content, and etcdctl can read it. @throws EtcdError ETCD_SNAPSHOT */
export async function verifySnapshot(path: string): Promise<Snapshot> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw fault(path, "cannot be read", cause);
  });
  let bytes = 0;
  try {
    bytes = (await file.stat()).size;
    const content = bytes - DIGEST;
    if (content <= 0 || content % PAGE !== 0) throw fault(path, `${bytes} bytes are no whole snapshot`);
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(CHUNK);
    for (let at = 0; at < content; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, content - at), at);
      if (bytesRead === 0) throw fault(path, "ends while it is read");
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    const digest = Buffer.alloc(DIGEST);
    await file.read(digest, 0, DIGEST, content);
    if (!hash.digest().equals(digest)) throw fault(path, "is damaged: its content does not have its digest");
  } finally {
    await file.close();
  }
  const said = await etcdctl("status", path, "--write-out", "json");
  const { revision, totalKey } = JSON.parse(said) as { revision: number; totalKey: number };
  return { bytes, revision, keys: totalKey };
}

export interface RestoreRequest {
  readonly snapshot: string;
  /** Must not be there yet. */
  readonly dataDir: string;
  readonly name: string;
  readonly peerUrl: string;
  /** name=peer-url of all members, which are all restored from the same file. */
  readonly cluster: string;
}

/** Makes the data of one member from a snapshot that was checked first. Its etcd must not run. @throws EtcdError */
export async function restoreSnapshot(request: RestoreRequest): Promise<Snapshot> {
  const { snapshot, dataDir, name, peerUrl, cluster } = request;
  const verified = await verifySnapshot(snapshot);
  const own = ["--name", name, "--data-dir", dataDir, "--initial-advertise-peer-urls", peerUrl];
  // Another token each time: members of before and after must never take each other for one of theirs.
  const token = `restored-${verified.revision}`;
  const rest = ["--initial-cluster", cluster, "--initial-cluster-token", token];
  await etcdctl("restore", snapshot, ...own, ...rest);
  return verified;
}

function etcdctl(what: string, ...args: readonly string[]): Promise<string> {
  return runProgram(["env", "ETCDCTL_API=3", "etcdctl", "snapshot", what, ...args]);
}

function fault(path: string, problem: string, cause?: unknown): EtcdError {
  return new EtcdError({ code: "ETCD_SNAPSHOT", text: path, problem }, { cause });
}
