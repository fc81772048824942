import type { Statement } from "@ims/store";
import type { TableDefinition } from "../archive/format.ts";
import { storeFault } from "../errors.ts";
import type { Ask } from "./ask.ts";
import { fromJson } from "./cql-values.ts";
import { quoted } from "./describe-tables.ts";

/** Rows that are written at once. */
const LANES = 64;
/** Cassandra takes no more than twenty years. */
const LONGEST_TTL_SECONDS = 19 * 365 * 86_400;

interface Target {
  readonly table: TableDefinition;
  readonly insert: Statement;
}

export interface Loaded {
  readonly written: number;
  /** Their time was over. */
  readonly expired: number;
}

/** Writes rows as they were: with the time of their writing, and until the time when they end. */
export class TableLoader {
  readonly #ask: Ask;
  readonly #targets: ReadonlyMap<string, Target>;

  constructor(ask: Ask, tables: readonly TableDefinition[]) {
    this.#ask = ask;
    this.#targets = new Map(tables.map((table) => [table.name, { table, insert: insertInto(table) }]));
  }

  /** Lines of one chunk. Repeating it changes nothing. @throws BackupError BACKUP_STORE */
  async load(name: string, payload: Buffer, again: boolean): Promise<Loaded> {
    const target = this.#targets.get(name);
    if (target === undefined) throw storeFault(`table ${name}`, "the backup does not say what it is like");
    const lines = payload.toString("utf8").split("\n");
    let written = 0;
    let expired = 0;
    const lane = async (): Promise<void> => {
      for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
        const params = paramsOf(target.table, line, again);
        if (params === undefined) expired++;
        else {
          await this.#ask.page(target.insert, params);
          written++;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, lines.length) }, lane));
    return { written, expired };
  }
}

function insertInto({ name, columns }: TableDefinition): Statement {
  const names = columns.map((column) => quoted(column.name)).join(", ");
  const values = columns.map(() => "?").join(", ");
  // Idempotent: it carries its time.
  return {
    cql: `INSERT INTO keyspace.${name} (${names}) VALUES (${values}) USING TIMESTAMP ? AND TTL ?`,
    idempotent: true,
  };
}

/** Undefined: its time is over. */
function paramsOf(table: TableDefinition, line: string, again: boolean): unknown[] | undefined {
  const [written, ends, ...values] = JSON.parse(line) as [
    number,
    number,
    ...Parameters<typeof fromJson>[0][],
  ];
  const now = Date.now();
  const ttl = ends === 0 ? 0 : Math.ceil((ends - now) / 1000);
  if (ends !== 0 && ttl <= 0) return undefined;
  const params = table.columns.map(({ type }, index) => {
    const value = fromJson(values[index] ?? null, type);
    // What was absent is left alone, unless an older reading of the row may have had it.
    return value === null && !again ? undefined : value;
  });
  const time = BigInt(written === 0 ? now * 1000 : written);
  return [...params, time, Math.min(ttl, LONGEST_TTL_SECONDS)];
}
