import type { Readable } from "node:stream";
import { CSV_FORMAT, type CsvColumn, type CsvRow, csvHeader } from "@ims/api";
import { nextTurn } from "@ims/runtime";
import { CsvError, parse } from "csv-parse";

/** What is wrong with the file: no row after it can be told. */
export class WrongFile extends Error {
  /** Undefined: of no row. */
  readonly row: number | undefined;
  constructor(message: string, row?: number, cause?: unknown) {
    super(message, { cause });
    this.row = row;
  }
}

export interface NumberedRow {
  /** 2 is the first one after the names of the columns. */
  readonly number: number;
  readonly row: CsvRow;
  /** What is wrong with its form. */
  readonly problem: string | undefined;
}

/** Rows read in one turn of the event loop: about a millisecond. */
const ROWS_PER_TURN = 32;

/** The rows of a file, one at a time. Throws WrongFile. */
export async function* csvRows(file: Readable): AsyncGenerator<NumberedRow> {
  const parser = file.pipe(parse({ ...CSV_FORMAT, relax_column_count: true }));
  file.once("error", (error: Error) => parser.destroy(error));
  let columns: readonly CsvColumn[] | undefined;
  let number = 0;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      number++;
      if (number % ROWS_PER_TURN === 0) await nextTurn();
      if (columns !== undefined) {
        yield rowOf(cells, columns, number);
        continue;
      }
      const header = csvHeader(cells);
      if (header.kind === "wrong") throw new WrongFile(header.problem, 1);
      columns = header.columns;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new WrongFile(reasonOf(error), rowAt(error, number), error);
  } finally {
    file.unpipe(parser);
    parser.destroy();
    file.destroy();
  }
  if (columns === undefined) throw new WrongFile("the file is empty; its first row names the columns");
}

function rowOf(cells: readonly string[], columns: readonly CsvColumn[], number: number): NumberedRow {
  const row = new Map<CsvColumn, string>();
  for (const [at, column] of columns.entries()) {
    const cell = cells[at];
    if (cell !== undefined && cell !== "") row.set(column, cell);
  }
  const problem =
    cells.length === columns.length
      ? undefined
      : `has ${cells.length} columns, the first row names ${columns.length}`;
  return { number, row, problem };
}

/** Rows before it that nobody has taken yet are gone. */
function rowAt(error: CsvError, taken: number): number {
  const records: unknown = error["records"];
  return (typeof records === "number" ? records : taken) + 1;
}

/** csv-parse repeats what it has read, and there are secrets in it. */
function reasonOf({ code }: CsvError): string {
  switch (code) {
    case "CSV_MAX_RECORD_SIZE":
      return `is longer than ${CSV_FORMAT.max_record_size} characters; is a quotation mark missing?`;
    case "CSV_QUOTE_NOT_CLOSED":
      return "begins a quotation that never ends";
    case "INVALID_OPENING_QUOTE":
    case "CSV_INVALID_CLOSING_QUOTE":
      return "has a quotation mark in the middle of a value; write it twice, and quote the value";
    default:
      return `is no CSV (${code})`;
  }
}
