import { resolve } from "node:path";
import { systemClock } from "@ims/runtime";
import { type CassandraSession, openCassandra } from "@ims/store";
import { Command, InvalidArgumentError } from "commander";
import { openStoreTls, type StoreTlsGiven, withStoreTls } from "../store-tls.ts";
import { progressOn } from "../terminal/progress.ts";
import { ArchiveReader } from "./archive/archive-reader.ts";
import { type KeySource, keySourceOf } from "./archive/key.ts";
import { verifyArchive } from "./archive/verify.ts";
import { Ask } from "./cassandra/ask.ts";
import { storeFault } from "./errors.ts";
import { contentsOf, listBackups } from "./list.ts";
import { restoreBackup } from "./restore.ts";
import { takeBackup } from "./take.ts";

interface KeyFiles {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
}

interface Stores extends KeyFiles, StoreTlsGiven {
  readonly stateDir?: string;
  readonly cassandra?: string;
  readonly cassandraKeyspace: string;
  readonly cassandraDatacenter: string;
  readonly subscriberKeyFile?: string | false;
  readonly json?: boolean;
}

interface RestoreStores extends Stores {
  readonly cassandraReplicationFactor?: number;
  readonly replace?: boolean;
}

/** Nodes of a cluster that has just been started are waited for. */
const CONNECT_WITHIN_MS = 15_000;

const withKey = (command: Command): Command =>
  command
    .option("--passphrase-file <file>", "file whose first line keeps the backup secret")
    .option("--key-file <file>", "file of 32 random octets or more that keeps it secret");

const withStores = (command: Command): Command =>
  withStoreTls(withKey(command))
    .option("--state-dir <dir>", "state directory of nodes without Cassandra")
    .option("--cassandra <nodes>", "host:port,... as the nodes have it")
    .option("--cassandra-keyspace <name>", "keyspace", keyspaceName, "tidewater")
    .option("--cassandra-datacenter <name>", "nearest data centre", "datacenter1")
    .option("--subscriber-key-file <file>", "key that the subscribers in Cassandra are sealed with")
    .option("--json", "print JSON");

function keyspaceName(text: string): string {
  if (/^[a-z][a-z0-9_]{0,47}$/.test(text)) return text;
  throw new InvalidArgumentError("Small letters, digits and underscores, 48 at most.");
}

function copies(text: string): number {
  if (/^[1-9]$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a number from 1 to 9.");
}

/** `tidewater backup`, `tidewater backups list|verify` and `tidewater restore`. */
export function backupCommands(program: string, exit: (code: number) => void): Command[] {
  const backup = withStores(
    new Command("backup")
      .description("take a backup of subscribers, documents, call lists, accounts and registrations")
      .argument("<file>", "the backup, or a folder in which it gets a name by its time"),
  )
    .option("--no-subscriber-key-file", "that key is kept elsewhere")
    .action(async (file: string, given: Stores) => take(file, program, given));

  const backups = new Command("backups").description("list backups, and check whether one is whole");
  backups
    .command("list")
    .description("the backups in a folder; exit code 1 when one of them cannot be used")
    .argument("[folder]", "the folder", ".")
    .option("--json", "print JSON")
    .action(async (folder: string, given: { json?: boolean }) =>
      exit(await list(folder, given.json === true)),
    );
  withKey(backups.command("verify"))
    .description("check that a backup is whole and unaltered; with its key: that it can be restored")
    .argument("<file>")
    .option("--json", "print JSON")
    .action(async (file: string, given: KeyFiles & { json?: boolean }) => verify(file, given));

  const restore = withStores(
    new Command("restore").description("bring a backup back; no node may run meanwhile").argument("<file>"),
  )
    .option(
      "--cassandra-replication-factor <n>",
      "copies of each row, when the keyspace has to be made",
      copies,
    )
    .option("--replace", "remove what is in Cassandra, put aside what is in the state directory")
    .action(async (file: string, given: RestoreStores) => bringBack(file, given));
  return [backup, backups, restore];
}

async function take(file: string, program: string, given: Stores): Promise<void> {
  const key = requiredKey(given);
  const { stateDir, cassandra, subscriberKeyFile } = given;
  if (stateDir === undefined && cassandra === undefined)
    throw new Error("nothing to back up: give --state-dir or --cassandra");
  if (cassandra !== undefined && subscriberKeyFile === undefined)
    throw new Error(
      "give --subscriber-key-file: without that key nobody can use the subscribers of the backup (--no-subscriber-key-file: it is kept elsewhere)",
    );
  const session = cassandra === undefined ? undefined : await connect(given, cassandra, false);
  try {
    const progress = progressOn(process.stderr);
    const taken = await takeBackup(
      {
        ...{ to: resolve(file), program, key, stateDir },
        cassandra: session && new Ask(session),
        subscriberKeyFile: typeof subscriberKeyFile === "string" ? subscriberKeyFile : undefined,
      },
      progress,
    );
    const { path, bytes, manifest } = taken;
    const changed = manifest.cassandra?.changedMeanwhile ?? 0;
    const meanwhile =
      changed === 0 ? "" : `\n${changed} rows were written meanwhile and are in it as they were last`;
    print(given, taken, `${path}: ${bytes} bytes; ${contentsOf(manifest)}${meanwhile}`);
  } finally {
    await session?.shutdown();
  }
}

async function list(folder: string, json: boolean): Promise<number> {
  const listed = await listBackups(folder);
  if (json) process.stdout.write(`${JSON.stringify(listed)}\n`);
  else if (listed.length === 0) process.stdout.write(`no backups in ${folder}\n`);
  for (const one of json ? [] : listed)
    process.stdout.write(
      one.state === "whole"
        ? `${one.manifest.taken}  ${one.file}  ${one.bytes} bytes  ${contentsOf(one.manifest)}\n`
        : `UNUSABLE  ${one.file}  ${one.problem}\n`,
    );
  return listed.some(({ state }) => state === "unusable") ? 1 : 0;
}

async function verify(file: string, given: KeyFiles & { readonly json?: boolean }): Promise<void> {
  const source = keySourceOf(given);
  const reader = await ArchiveReader.open(file);
  const progress = progressOn(process.stderr);
  try {
    await reader.checkDigest((bytes) => progress.say("checked, bytes", bytes, reader.bytes));
    if (source !== undefined) await verifyArchive(reader, await reader.unlock(source), progress);
    progress.end();
    const { bytes, manifest, id } = reader;
    const how =
      source === undefined
        ? "whole (what is in it was not opened: give its key for that)"
        : "whole and readable";
    print(
      given,
      { file, id, bytes, opened: source !== undefined, manifest },
      `${file}: ${how}; taken ${manifest.taken}; ${contentsOf(manifest)}`,
    );
  } finally {
    progress.end();
    await reader.close();
  }
}

async function bringBack(file: string, given: RestoreStores): Promise<void> {
  const source = requiredKey(given);
  const { stateDir, cassandra, subscriberKeyFile, replace = false } = given;
  const reader = await ArchiveReader.open(file);
  let session: CassandraSession | undefined;
  try {
    const progress = progressOn(process.stderr);
    try {
      await reader.checkDigest((bytes) => progress.say("checked, bytes", bytes, reader.bytes));
    } finally {
      progress.end();
    }
    const key = await reader.unlock(source);
    const connected = async (nodes: string): Promise<Ask> => {
      session = await connect(given, nodes, true);
      return new Ask(session);
    };
    const restored = await restoreBackup(
      {
        ...{ reader, key, stateDir, replace },
        cassandra: cassandra === undefined ? undefined : () => connected(cassandra),
        subscriberKeyFile: typeof subscriberKeyFile === "string" ? subscriberKeyFile : undefined,
      },
      progress,
    );
    const { rows, expired, files, putAside, resumedAfter } = restored;
    const said = [
      ...(reader.manifest.cassandra === undefined ? [] : [`${rows} rows`]),
      ...(expired === 0 ? [] : [`${expired} rows whose time was over left out`]),
      ...(files.length === 0 ? [] : [`files ${files.join(", ")}`]),
      ...putAside.map((folder) => `what was there is in ${folder}`),
      ...(resumedAfter === 0 ? [] : ["went on where it was interrupted"]),
    ];
    print(given, { taken: reader.manifest.taken, ...restored }, `restored ${file}: ${said.join("; ")}`);
  } finally {
    await session?.shutdown();
    await reader.close();
  }
}

function requiredKey(given: KeyFiles): KeySource {
  const source = keySourceOf(given);
  if (source === undefined) throw new Error("give --passphrase-file or --key-file: a backup holds secrets");
  return source;
}

/** `make`: a keyspace that is missing is made. */
async function connect(given: RestoreStores, nodes: string, make: boolean): Promise<CassandraSession> {
  const { cassandraKeyspace: keyspace, cassandraReplicationFactor: replicationFactor } = given;
  const session = await openCassandra({
    contactPoints: nodes.split(","),
    keyspace,
    localDataCenter: given.cassandraDatacenter,
    tls: openStoreTls(given)?.clientOptions(),
    clock: systemClock(),
    connectWithinMs: CONNECT_WITHIN_MS,
    ...(make ? { schemas: [] } : {}),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
  });
  if (session.isAvailable) return session;
  await session.shutdown();
  throw storeFault("Cassandra", `nothing answers at ${nodes}`);
}

function print(given: { readonly json?: boolean }, value: unknown, text: string): void {
  process.stdout.write(`${given.json === true ? JSON.stringify(value) : text}\n`);
}
