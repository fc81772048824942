import { CALENDAR_RETENTION_SECONDS, type Row, type Statement } from "@ims/store";
import type { TableDefinition } from "../archive/format.ts";
import type { Ask } from "./ask.ts";
import { isMultiCell, toJson } from "./cql-values.ts";
import { primaryKey, quoted } from "./describe-tables.ts";

/** A table is read range by range of its partitions, so that no read goes over much that has been deleted. */
const RANGES = 64n;
const LEAST_TOKEN = -(2n ** 63n);
const TOKENS = 2n ** 64n;
const PAGE_ROWS = 500;
/** A row of nothing but its key has no lifetime that could be read. Of the calendar it is that of its date. */
const CALENDAR = "calendar";
const CALENDAR_SLACK_MS = 60_000;

export interface ReadRow {
  /** Primary key, JSON. */
  readonly key: string;
  /** us since the epoch */
  readonly written: number;
  /** ms since the epoch; 0: it does not end. */
  readonly ends: number;
  /** Both and the columns, JSON. */
  readonly line: string;
}

/** The rows of a table, a page at a time. */
export async function* readTable(
  ask: Ask,
  table: TableDefinition,
  now: () => number,
): AsyncGenerator<readonly ReadRow[], void, undefined> {
  const { columns } = table;
  const timed = columns.filter(({ kind, type }) => kind === "regular" && !isMultiCell(type));
  const selected = [
    ...columns.map(({ name }) => quoted(name)),
    ...timed.flatMap(({ name }, index) => [
      `TTL(${quoted(name)}) AS t${index}`,
      `WRITETIME(${quoted(name)}) AS w${index}`,
    ]),
  ];
  const token = `token(${primaryKey(table).partition.map(quoted).join(", ")})`;
  const statement: Statement = {
    cql: `SELECT ${selected.join(", ")} FROM keyspace.${table.name} WHERE ${token} >= ? AND ${token} <= ?`,
    idempotent: true,
  };
  const lineOf = (row: Row, at: number): ReadRow => {
    let written = 0;
    let ends = 0;
    let endless = timed.length === 0;
    for (const index of timed.keys()) {
      const time = row[`w${index}`];
      if (time === null || time === undefined) continue;
      written = Math.max(written, Number(time));
      const ttl = row[`t${index}`];
      if (typeof ttl === "number") ends = Math.max(ends, at + ttl * 1000);
      else endless = true;
    }
    if (table.name === CALENDAR && row["at"] instanceof Date) {
      endless = false;
      ends = row["at"].getTime() + CALENDAR_RETENTION_SECONDS * 1000 + CALENDAR_SLACK_MS;
    }
    const values = columns.map(({ name, type }) => toJson(row[name], type));
    if (endless) ends = 0;
    const key = JSON.stringify(values.filter((_, index) => columns[index]?.kind !== "regular"));
    return { key, written, ends, line: JSON.stringify([written, ends, ...values]) };
  };
  for (let range = 0n; range < RANGES; range++) {
    const from = LEAST_TOKEN + (TOKENS * range) / RANGES;
    const to = LEAST_TOKEN + (TOKENS * (range + 1n)) / RANGES - 1n;
    let page: string | undefined;
    do {
      const options = page === undefined ? {} : { page };
      const result = await ask.page(statement, [from, to], { pageRows: PAGE_ROWS, ...options });
      const at = now();
      if (result.rows.length > 0) yield result.rows.map((row) => lineOf(row, at));
      page = result.nextPage;
    } while (page !== undefined);
  }
}
