import { z } from "zod";
import { newSubscriberSchema } from "./provisioning.ts";

/** Columns of a file of subscribers; values of `impu` and `barred` are separated by spaces. */
export const CSV_COLUMNS = ["impi", "impu", "password", "k", "opc", "op", "amf", "sqn", "barred"] as const;
export type CsvColumn = (typeof CSV_COLUMNS)[number];
export type CsvRow = ReadonlyMap<CsvColumn, string>;

/** How the files are read, for csv-parse. */
export const CSV_FORMAT = { bom: true, trim: true, skip_empty_lines: true, max_record_size: 8192 } as const;

const CREDENTIALS = ["password", "k", "opc", "op", "amf", "sqn"] as const;

export type CsvHeader =
  | { readonly kind: "columns"; readonly columns: readonly CsvColumn[] }
  | { readonly kind: "wrong"; readonly problem: string };

/** Reads the first row. */
export function csvHeader(header: readonly string[]): CsvHeader {
  const wrong = (problem: string): CsvHeader => ({ kind: "wrong", problem });
  const known = `known: ${CSV_COLUMNS.join(", ")}; separated by commas`;
  const columns: CsvColumn[] = [];
  for (const cell of header) {
    const name = cell.trim().toLowerCase();
    const column = CSV_COLUMNS.find((each) => each === name);
    if (column === undefined)
      return wrong(`the first row names the columns, and ${printable(name)} is none (${known})`);
    if (columns.includes(column)) return wrong(`the first row names ${column} twice`);
    columns.push(column);
  }
  if (!columns.includes("impi"))
    return wrong(`the first row must name the columns, impi among them (${known})`);
  return { kind: "columns", columns };
}

/** The subscriber that a row says, not judged. Without `impu` the public identity is the private one as a SIP URI. */
export function subscriberOfRow(row: CsvRow): {
  readonly impi: string;
  readonly publicIdentities: readonly { readonly impu: string; readonly barred?: boolean }[];
  readonly credentials: Readonly<Record<string, string>>;
} {
  const impi = row.get("impi") ?? "";
  const impus = listOf(row.get("impu"));
  const credentials: Record<string, string> = {};
  for (const name of CREDENTIALS) {
    const value = row.get(name);
    if (value) credentials[name] = value;
  }
  return {
    impi,
    publicIdentities: [
      ...(impus.length > 0 ? impus : [`sip:${impi}`]).map((impu) => ({ impu })),
      ...listOf(row.get("barred")).map((impu) => ({ impu, barred: true })),
    ],
    credentials,
  };
}

export interface CsvFault {
  /** Undefined: of the row as a whole. */
  readonly column: CsvColumn | undefined;
  readonly problem: string;
}

/** What is wrong with a row by itself, by column; no value of it is repeated. */
export function faultsOfRow(row: CsvRow): readonly CsvFault[] {
  const result = newSubscriberSchema.safeParse(subscriberOfRow(row));
  if (result.success) return [];
  const impus = Math.max(1, listOf(row.get("impu")).length);
  return result.error.issues.map((issue) => ({ column: columnOf(issue, impus), problem: issue.message }));
}

/** `impus`: how many public identities are of the column impu, before those that are barred. */
function columnOf({ path }: z.core.$ZodIssue, impus: number): CsvColumn | undefined {
  const [first, second] = path;
  if (first === "impi") return "impi";
  if (first === "publicIdentities") return typeof second === "number" && second >= impus ? "barred" : "impu";
  if (first === "credentials") return CREDENTIALS.find((each) => each === second);
  return undefined;
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((one) => one !== "");
}

/** Text of a file that may be anything, for a terminal or a page: quoted, control characters escaped, cut. */
function printable(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return JSON.stringify(shown.replaceAll(/[^\x20-\x7e]/g, "?"));
}

export const csvImportQuerySchema = z.object({
  dry_run: z.stringbool().default(false).describe("judge every row, change nothing"),
});

export const csvLimitsSchema = z.strictObject({
  columns: z.array(z.string()),
  max_bytes: z.int(),
  max_rows: z.int(),
});

export const csvReportSchema = z.strictObject({
  rows: z.int().describe("rows read, the first one with the names of columns not among them"),
  applied: z.int().describe("rows written now; 0 when any row was wrong"),
  unchanged: z.int().describe("rows whose subscriber is there already as the row says"),
  wrong: z.int().describe("rows that are wrong; each of them, or the first ones, in errors"),
  errors: z.array(
    z.strictObject({
      row: z.int().describe("2 is the first one after the names of the columns"),
      column: z.string().optional(),
      impi: z.string(),
      error: z.string(),
    }),
  ),
});
export type CsvReport = z.output<typeof csvReportSchema>;
