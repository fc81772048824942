import type { SchemaVersion, TableDefinition } from "../archive/format.ts";
import { storeFault } from "../errors.ts";
import type { Ask } from "./ask.ts";
import {
  createStatements,
  describeTables,
  newestOf,
  primaryKey,
  quoted,
  schemaVersions,
} from "./describe-tables.ts";
import { TableLoader } from "./table-loader.ts";

/** Rows that are looked at to say how many there are. */
const COUNTED = 1_000;

const PROGRESS_TABLE =
  "CREATE TABLE IF NOT EXISTS keyspace.restore_progress (backup text PRIMARY KEY, chunks int) WITH comment = 'a restore that has not ended'";

export interface KeyspaceContents {
  readonly versions: readonly SchemaVersion[];
  readonly tables: readonly TableDefinition[];
}

/** A restore into a keyspace: begun anew, or where the one before was interrupted. */
export class KeyspaceRestore {
  readonly #ask: Ask;
  readonly #backup: string;
  readonly #contents: KeyspaceContents;
  #done = 0;

  private constructor(ask: Ask, backup: string, contents: KeyspaceContents) {
    this.#ask = ask;
    this.#backup = backup;
    this.#contents = contents;
  }

  /**
   * Makes the keyspace ready. `replace`: what is in it goes.
   * @throws BackupError BACKUP_STORE when it is not empty, or made by another release; then nothing has been changed.
   */
  static async begin(
    ask: Ask,
    backup: string,
    contents: KeyspaceContents,
    replace: boolean,
  ): Promise<KeyspaceRestore> {
    const store = `keyspace ${ask.session.keyspace}`;
    const there = new Map((await describeTables(ask)).map((table) => [table.name, table]));
    checkVersions(store, newestOf(contents.versions), newestOf(await schemaVersions(ask)));
    for (const table of contents.tables) checkColumns(store, table, there.get(table.name));
    const restore = new KeyspaceRestore(ask, backup, contents);
    const begun = await restore.#begunBefore();
    if (begun !== undefined && begun.backup === backup) {
      restore.#done = begun.chunks;
      return restore;
    }
    if (begun !== undefined && !replace)
      throw storeFault(
        store,
        `a restore of another backup (${begun.backup}) was begun and has not ended: end that one, or give --replace`,
      );
    const full = await restore.#full([...there.values()]);
    if (full.length > 0 && !replace)
      throw storeFault(
        store,
        `is not empty (rows of ${full.join(", ")}): give --replace to remove what is there, or --cassandra-keyspace another one`,
      );
    await restore.#makeEmpty(there, begun !== undefined);
    return restore;
  }

  /** Chunks that were restored before. */
  get done(): number {
    return this.#done;
  }

  loader(): TableLoader {
    return new TableLoader(this.#ask, this.#contents.tables);
  }

  /** Everything up to this chunk is in place. */
  async reached(chunks: number): Promise<void> {
    await this.#ask.rows("INSERT INTO keyspace.restore_progress (backup, chunks) VALUES (?, ?)", [
      this.#backup,
      chunks,
    ]);
  }

  /** What nodes look at when they start comes last. */
  async end(): Promise<void> {
    for (const { component, version, name, checksum } of this.#contents.versions)
      await this.#ask.rows(
        "INSERT INTO keyspace.schema_version (component, version, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS",
        [component, version, name, checksum, new Date()],
      );
    await this.#ask.change("DROP TABLE IF EXISTS keyspace.restore_progress");
  }

  async #begunBefore(): Promise<{ backup: string; chunks: number } | undefined> {
    const tables = await this.#ask.rows(
      "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'restore_progress'",
      [this.#ask.session.keyspace],
    );
    if (tables.length === 0) return undefined;
    const [row] = await this.#ask.rows("SELECT backup, chunks FROM keyspace.restore_progress");
    return row === undefined ? undefined : { backup: String(row["backup"]), chunks: Number(row["chunks"]) };
  }

  /** "subscriber: 12" of each table that has rows. */
  async #full(tables: readonly TableDefinition[]): Promise<string[]> {
    const full: string[] = [];
    for (const table of tables) {
      const [first = ""] = primaryKey(table).partition;
      const rows = await this.#ask.rows(
        `SELECT ${quoted(first)} FROM keyspace.${table.name} LIMIT ${COUNTED}`,
      );
      if (rows.length === 0) continue;
      full.push(`${table.name}: ${rows.length}${rows.length === COUNTED ? " or more" : ""}`);
    }
    return full;
  }

  async #makeEmpty(there: ReadonlyMap<string, TableDefinition>, begunBefore: boolean): Promise<void> {
    const ask = this.#ask;
    if (begunBefore) await ask.change("DROP TABLE keyspace.restore_progress");
    await ask.change(PROGRESS_TABLE);
    for (const table of this.#contents.tables) {
      if (there.has(table.name)) continue;
      // With the identity that a node would give it, unless the cluster knows that one of another keyspace.
      const known = await ask.rows(
        "SELECT keyspace_name FROM system_schema.tables WHERE id = ? LIMIT 1 ALLOW FILTERING",
        [table.id],
      );
      for (const statement of createStatements(table, known.length === 0 ? table.id : undefined))
        await ask.change(statement);
    }
    // Also of what seems empty, or is new: what was removed, or agreed upon, since the backup would hide what comes back.
    for (const name of new Set([...there.keys(), ...this.#contents.tables.map((table) => table.name)]))
      await ask.change(`TRUNCATE keyspace.${name}`);
    await this.reached(0);
  }
}

function checkVersions(
  store: string,
  wanted: ReadonlyMap<string, number>,
  there: ReadonlyMap<string, number>,
): void {
  for (const [component, version] of wanted) {
    const found = there.get(component) ?? version;
    if (found === version) continue;
    const release = found > version ? "a newer" : "an older";
    throw storeFault(
      store,
      `was made by ${release} release than the backup (${component}: version ${found}, the backup has ${version}): drop the keyspace, restore, and start the nodes, which bring it up to date`,
    );
  }
}

function checkColumns(store: string, wanted: TableDefinition, there: TableDefinition | undefined): void {
  if (there === undefined) return;
  for (const { name, type, kind } of wanted.columns) {
    const found = there.columns.find((column) => column.name === name);
    if (found?.type === type && found.kind === kind) continue;
    throw storeFault(
      store,
      `table ${wanted.name} is not that of the backup (column ${name}): drop the keyspace and restore again`,
    );
  }
}
