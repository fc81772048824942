import { createReadStream, statSync } from "node:fs";
import { CSV_FORMAT, type CsvRow, csvHeader, type ProvisioningClient, subscriberOfRow } from "@ims/api";
import { CsvError, parse } from "csv-parse";
import { reasonOf } from "../explain.ts";
import { progressOn } from "../terminal/progress.ts";
import { SeenIdentities } from "./seen-identities.ts";
import { WrongRows } from "./wrong-rows.ts";

export interface ImportOptions {
  readonly dryRun: boolean;
  readonly partial: boolean;
  readonly json: boolean;
}

const ROWS_A_CALL = 2000;

/**
 * Imports a CSV file. First every row is judged by the API (dry run); only when all are good, or with `partial`, rows are
 * written. Gives the exit code: 0 all rows good, 1 some wrong. Row numbers count lines of data from 2 (1 is the header).
 */
export async function importCsv(
  file: string,
  client: ProvisioningClient,
  options: ImportOptions,
): Promise<number> {
  const progress = progressOn(process.stderr);
  const wrong = new WrongRows();
  let judged: Passed;
  let written: Passed | undefined;
  try {
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    judged = await pass(file, client, { ...options, dryRun: true, wrong }, (_rows, bytes) =>
      progress.say("checked, bytes", bytes, size),
    );
    if (!options.dryRun && (wrong.count === 0 || options.partial)) {
      const { rows } = judged;
      written = await pass(file, client, { ...options, dryRun: false, wrong }, (row) =>
        progress.say("written, rows", row, rows),
      );
    }
  } finally {
    progress.end();
  }
  const applied = written?.applied ?? 0;
  const errors = wrong.told;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ rows: judged.rows, applied, wrong: wrong.count, errors })}\n`);
  else {
    for (const { row, impi, error } of errors) process.stderr.write(`row ${row} (${impi}): ${error}\n`);
    const more = wrong.count - errors.length;
    if (more > 0) process.stderr.write(`${more} more rows are wrong\n`);
    process.stdout.write(
      `${judged.rows} rows, ${wrong.count} wrong, ${applied} written${options.dryRun ? " (dry run)" : ""}\n`,
    );
  }
  return wrong.count === 0 ? 0 : 1;
}

interface Passed {
  readonly rows: number;
  readonly applied: number;
}

async function pass(
  file: string,
  client: ProvisioningClient,
  options: ImportOptions & { readonly wrong: WrongRows },
  told: (rows: number, bytes: number) => void,
): Promise<Passed> {
  const input = createReadStream(file);
  let named = false;
  const columns = (cells: string[]): string[] => {
    named = true;
    const header = csvHeader(cells);
    if (header.kind === "wrong") throw new WrongFile(header.problem);
    return [...header.columns];
  };
  const rows = input.pipe(parse({ ...CSV_FORMAT, columns }));
  input.once("error", (error: Error) => rows.destroy(error));
  let count = 0;
  let applied = 0;
  let batch: { readonly row: number; readonly fields: Record<string, string> }[] = [];
  // The API judges rows call by call; what is twice in the file is found here, or half of it could be written.
  const seen = new SeenIdentities();
  const flush = async (): Promise<void> => {
    const report = await client.import(
      batch.map(({ fields }) => subscriberOf(fields)),
      { dryRun: options.dryRun, partial: options.partial },
    );
    applied += report.applied;
    for (const { index, error } of report.rows) {
      const { row = 0, fields } = batch[index] ?? {};
      options.wrong.add({ row, impi: fields?.["impi"] ?? "", error });
    }
    batch = [];
    told(count, input.bytesRead);
  };
  try {
    for await (const fields of rows as AsyncIterable<Record<string, string>>) {
      const row = ++count + 1;
      const repeated = repeatedIdentity(fields, row, seen);
      if (repeated === undefined) batch.push({ row, fields });
      else options.wrong.add({ row, impi: fields["impi"] ?? "", error: repeated });
      if (batch.length >= ROWS_A_CALL) await flush();
    }
    if (!named) throw new WrongFile("the file is empty; its first row names the columns");
  } catch (error) {
    if (error instanceof Error && "syscall" in error)
      throw new Error(`${file}: ${reasonOf(error)}`, { cause: error });
    if (!(error instanceof WrongFile || error instanceof CsvError)) throw error;
    const outcome = options.dryRun ? "; nothing was written" : "";
    throw new Error(`${file}: ${error.message}${outcome}`, { cause: error });
  }
  if (batch.length > 0) await flush();
  return { rows: count, applied };
}

/** Says which identity of a row was in the file before; notes the others. */
function repeatedIdentity(
  fields: Record<string, string>,
  row: number,
  seen: SeenIdentities,
): string | undefined {
  const { impi, publicIdentities } = subscriberOf(fields);
  const identities = new Set([impi, ...publicIdentities.map(({ impu }) => impu)]);
  for (const identity of identities) {
    const before = seen.rowOf(identity);
    if (before !== undefined) return `${identity} is in row ${before} already`;
  }
  for (const identity of identities) seen.add(identity, row);
  return undefined;
}

/** What is wrong with the file as a whole. */
class WrongFile extends Error {}

function subscriberOf(fields: Record<string, string>): ReturnType<typeof subscriberOfRow> {
  return subscriberOfRow(new Map(Object.entries(fields)) as CsvRow);
}
