import { Readable } from "node:stream";
import { CSV_COLUMNS, type CsvReport, csvImportQuerySchema, ProvisioningError } from "@ims/api";
import type { Logger } from "@ims/runtime";
import type { FastifyInstance } from "fastify";
import { ImportStopped, importCsv, type RowImporter } from "../subscribers/csv-import.ts";
import { type Spooled, spool } from "../subscribers/spool.ts";
import { note } from "./audit.ts";
import { queryOf, read } from "./fields.ts";
import { wordsFor } from "./homestead-refusal.ts";
import { Refusal } from "./refusal.ts";

export interface ImportModules {
  readonly importer: RowImporter;
  /** Where a file is put while it is imported. */
  readonly stateDir: string;
  readonly importBytes: number;
  readonly importRows: number;
  readonly log: Logger;
}

const PATH = "/staff/subscriber-import";
const RESOURCE = "subscribers";

/** Subscribers from a CSV file: to disk as it comes, judged, and written when all of it is good. One file at a time. */
export function importRoutes(app: FastifyInstance, modules: ImportModules): void {
  const { importer, stateDir: folder, importBytes: maxBytes, importRows: maxRows, log } = modules;
  let isImporting = false;

  app.get(PATH, { config: { resource: RESOURCE, role: "operator" } }, async () => ({
    columns: [...CSV_COLUMNS],
    ...{ max_bytes: maxBytes, max_rows: maxRows },
  }));

  // Of its own: elsewhere bodies are read whole.
  void app.register(async (scope) => {
    scope.addContentTypeParser("text/csv", (_request, payload, done) => done(null, payload));
    scope.post(
      PATH,
      { config: { resource: RESOURCE, role: "operator", audit: "subscriber.import" } },
      async (request) => {
        const { dry_run: dryRun } = read(csvImportQuerySchema, queryOf(request));
        note(request, { detail: dryRun ? "dry run" : "" });
        if (!(request.body instanceof Readable)) throw new Refusal(415, "Send the file as text/csv");
        const { body } = request;
        if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw passingOver(body, tooLarge());
        if (isImporting)
          throw passingOver(
            body,
            new Refusal(409, "Another file is being imported; wait for it", { retryAfterSeconds: 10 }),
          );
        isImporting = true;
        try {
          const spooled = await spool(body, { folder, maxBytes });
          if (spooled.kind === "tooLarge") throw passingOver(body, tooLarge());
          if (spooled.kind === "cutOff")
            throw new Refusal(400, "The file ended before it was whole; nothing was written");
          const report = await imported(spooled, dryRun);
          note(request, { detail: saidOf(report, dryRun) });
          return report;
        } finally {
          isImporting = false;
        }
      },
    );
  });

  async function imported(spooled: Spooled, dryRun: boolean): Promise<CsvReport> {
    try {
      const report = await importCsv(spooled.read, importer, { dryRun, maxRows });
      log.info({ ...report, errors: undefined, dryRun }, "subscribers imported");
      return report;
    } catch (error) {
      if (!(error instanceof ImportStopped)) throw error;
      if (!(error.cause instanceof ProvisioningError)) throw error.cause;
      const after =
        error.applied === 0
          ? "nothing was written"
          : `${error.applied} rows are written; import the same file again, they are passed over`;
      throw new Refusal(502, `homestead: ${wordsFor(error.cause)}; ${after}`.slice(0, 500), { cause: error });
    } finally {
      await spooled.close();
    }
  }

  function tooLarge(): Refusal {
    const most = Math.floor(maxBytes / 1_048_576);
    return new Refusal(
      413,
      `The file is larger than ${most} MiB; split it, or use "tidewater subscriber import", which takes any size. Nothing was written.`,
    );
  }
}

/** The rest of what is sent is passed over, so that whoever sends it gets to read why; the time a request may take bounds that. */
function passingOver(body: Readable, refusal: Refusal): Refusal {
  body.on("error", () => undefined).resume();
  return refusal;
}

function saidOf({ rows, applied, unchanged, wrong }: CsvReport, dryRun: boolean): string {
  return `${dryRun ? "dry run: " : ""}${rows} rows, ${applied} written, ${unchanged} there already, ${wrong} wrong`;
}
