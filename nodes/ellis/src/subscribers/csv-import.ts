import type { Readable } from "node:stream";
import { type CsvColumn, type CsvReport, faultsOfRow, type ImportReport, subscriberOfRow } from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import { csvRows, WrongFile } from "./csv-rows.ts";

/** Judges and writes rows, at most so many a call; rejects when it does not answer. */
export interface RowImporter {
  import(
    rows: readonly unknown[],
    options: { readonly dryRun: boolean; readonly partial: boolean; readonly existing: "keep" },
  ): Promise<ImportReport>;
}

export interface CsvImportOptions {
  readonly dryRun: boolean;
  readonly maxRows: number;
}

/** The importer stopped in the middle: so many rows are written. */
export class ImportStopped extends Error {
  readonly applied: number;
  constructor(applied: number, cause: unknown) {
    super("homestead stopped in the middle of an import", { cause });
    this.applied = applied;
  }
}

/** What is made into JSON, and read from it, in one go: about a millisecond at either side. */
const ROWS_A_CALL = 250;
const MAX_ERRORS = 200;

type RowSubscriber = ReturnType<typeof subscriberOfRow>;
type Batch = { readonly number: number; readonly subscriber: RowSubscriber }[];

/**
 * Imports a file that can be read again: every row is judged first, and rows are written only when all of them are good. Rows whose
 * subscriber is there as they say are passed over, so that the same file may be imported again. Throws ImportStopped.
 */
export async function importCsv(
  read: () => Readable,
  importer: RowImporter,
  { dryRun, maxRows }: CsvImportOptions,
): Promise<CsvReport> {
  const judged = await pass(read(), importer, { dryRun: true, maxRows });
  if (dryRun || judged.wrong > 0) return judged;
  return pass(read(), importer, { dryRun: false, maxRows });
}

async function pass(
  file: Readable,
  importer: RowImporter,
  { dryRun, maxRows }: CsvImportOptions,
): Promise<CsvReport> {
  const report = { rows: 0, applied: 0, unchanged: 0, wrong: 0, errors: [] as CsvReport["errors"] };
  const seen = new Map<string, number>();
  let batch: Batch = [];
  const wrong = (number: number, impi: string, column: CsvColumn | undefined, error: string): void => {
    if (report.errors.length < MAX_ERRORS)
      report.errors.push({ row: number, ...(column === undefined ? {} : { column }), impi, error });
  };
  const flush = async (): Promise<boolean> => {
    const rows = batch;
    batch = [];
    if (rows.length === 0) return true;
    const answer = await importer
      .import(
        rows.map(({ subscriber }) => subscriber),
        { dryRun, partial: false, existing: "keep" },
      )
      .catch((error: unknown) => {
        throw new ImportStopped(report.applied, error);
      });
    report.applied += answer.applied;
    report.unchanged += answer.unchanged ?? 0;
    report.wrong += answer.rows.length;
    for (const { index, error } of answer.rows) {
      const { number = 0, subscriber } = rows[index] ?? {};
      const impi = subscriber?.impi ?? "";
      wrong(number, impi, error.startsWith(impi) ? "impi" : "impu", error);
    }
    return dryRun || answer.rows.length === 0;
  };
  try {
    for await (const { number, row, problem } of csvRows(file)) {
      if (++report.rows > maxRows)
        throw new WrongFile(`the file has more than ${maxRows} rows; split it`, number);
      const impi = (row.get("impi") ?? "").slice(0, 255);
      const faults = problem === undefined ? faultsOfRow(row) : [{ column: undefined, problem }];
      const subscriber = subscriberOfRow(row);
      const repeated = faults.length === 0 ? repeatedIdentity(subscriber, number, seen) : undefined;
      for (const fault of faults) wrong(number, impi, fault.column, fault.problem);
      if (repeated !== undefined) wrong(number, impi, repeated.column, repeated.problem);
      if (faults.length > 0 || repeated !== undefined) report.wrong++;
      else if (batch.push({ number, subscriber }) >= ROWS_A_CALL && !(await flush())) return report;
    }
  } catch (error) {
    if (!(error instanceof WrongFile)) throw error;
    report.wrong++;
    wrong(error.row ?? 1, "", undefined, error.message);
  }
  await flush();
  report.errors.sort((one, other) => one.row - other.row);
  return report;
}

/** Says which identity of a row was in the file before; notes the others. homestead is asked call by call and sees one part of the file at a time. */
function repeatedIdentity(
  { impi, publicIdentities }: RowSubscriber,
  number: number,
  seen: Map<string, number>,
): { readonly column: CsvColumn; readonly problem: string } | undefined {
  const identities = new Map<string, { readonly column: CsvColumn; readonly name: string }>([
    [`private ${withLowerRealm(impi)}`, { column: "impi", name: impi }],
  ]);
  for (const { impu, barred } of publicIdentities)
    identities.set(canonicalImpu(impu) ?? impu, { column: barred === true ? "barred" : "impu", name: impu });
  for (const [key, { column, name }] of identities) {
    const before = seen.get(key);
    if (before !== undefined) return { column, problem: `${name} is in row ${before} already` };
  }
  for (const key of identities.keys()) seen.set(key, number);
  return undefined;
}

function withLowerRealm(impi: string): string {
  const at = impi.lastIndexOf("@");
  return impi.slice(0, at) + impi.slice(at).toLowerCase();
}
