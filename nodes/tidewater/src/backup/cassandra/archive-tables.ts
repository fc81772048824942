import type { Progress } from "../../terminal/progress.ts";
import type { ArchiveWriter } from "../archive/archive-writer.ts";
import { CHUNK_BYTES, type Manifest, type TableDefinition } from "../archive/format.ts";
import { storeFault } from "../errors.ts";
import type { Ask } from "./ask.ts";
import { describeTables, newestOf, schemaVersions } from "./describe-tables.ts";
import { readTable } from "./read-table.ts";

/** A row that is younger when a round begins is still on the move: clocks differ so much at most. */
const SETTLED_US = 1_000_000;
const ROUNDS = 4;
const PAUSE_MS = 1_100;

/**
 * All tables of a keyspace, read page by page while it is used. A row that lasts is archived in a round of reading at whose beginning it
 * was there already: rows that refer to each other were read after those by which they are found, so all of these are there
 * too. What was on the move is read again in the next round; at last those that still are, and were there before. @throws BackupError
 */
export async function archiveTables(
  ask: Ask,
  writer: ArchiveWriter,
  progress: Progress,
): Promise<NonNullable<Manifest["cassandra"]>> {
  const { keyspace } = ask.session;
  let since = 0;
  let settled = Date.now() * 1000 - SETTLED_US;
  const definitions = await describeTables(ask);
  const versions = await schemaVersions(ask);
  if (versions.length === 0)
    throw storeFault(
      `keyspace ${keyspace}`,
      "there is nothing of tidewater in it: --cassandra-keyspace names another one?",
    );
  await writer.add({ kind: "schemas", versions });
  const tables: { name: string; rows: number }[] = [];
  const lasting: Lasting[] = [];
  for (const table of definitions) {
    await writer.add({ kind: "table", table });
    const round = { writer, progress, again: false, since, settled, before: undefined };
    const { archived, moving, temporary } = await archive(ask, table, round);
    tables.push({ name: table.name, rows: archived + moving.size });
    if (!temporary) lasting.push({ table, moving });
  }
  let changedMeanwhile = 0;
  for (let number = 2; number <= ROUNDS; number++) {
    if (lasting.some(({ moving }) => moving.size > 0))
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    since = settled;
    settled = Date.now() * 1000 - SETTLED_US;
    for (const each of lasting) {
      const before = number === ROUNDS ? each.moving : undefined;
      const round = { writer, progress, again: true, since, settled, before };
      const { archived, moving } = await archive(ask, each.table, round);
      each.moving = moving;
      changedMeanwhile += archived;
    }
    if (lasting.every(({ moving }) => moving.size === 0)) break;
  }
  const schemas = [...newestOf(versions)].map(([component, version]) => ({ component, version }));
  tables.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { keyspace, schemas, tables, changedMeanwhile };
}

interface Lasting {
  readonly table: TableDefinition;
  /** Keys of rows that were on the move in the last round. */
  moving: ReadonlySet<string>;
}

interface Round {
  readonly writer: ArchiveWriter;
  readonly progress: Progress;
  readonly again: boolean;
  /** Rows written from then on, us, */
  readonly since: number;
  /** and before that, */
  readonly settled: number;
  /** or in the last round these too. */
  readonly before: ReadonlySet<string> | undefined;
}

async function archive(
  ask: Ask,
  table: TableDefinition,
  { writer, progress, again, since, settled, before }: Round,
): Promise<{ archived: number; moving: ReadonlySet<string>; temporary: boolean }> {
  const moving = new Set<string>();
  let archived = 0;
  let temporary = false;
  let lines: string[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    if (lines.length === 0) return;
    const head = { kind: "rows", table: table.name, rows: lines.length, again } as const;
    await writer.add(head, Buffer.from(lines.join("\n")));
    lines = [];
    size = 0;
  };
  for await (const page of readTable(ask, table, Date.now)) {
    for (const { key, written, ends, line } of page) {
      temporary ||= ends > 0;
      if (written < since) continue;
      if (ends === 0 && written >= settled && before?.has(key) !== true) {
        moving.add(key);
        continue;
      }
      lines.push(line);
      archived++;
      size += line.length;
      if (size >= CHUNK_BYTES) await write();
    }
    progress.say(again ? `${table.name} again` : table.name, archived);
  }
  await write();
  return { archived, moving, temporary };
}
