import { type ImportReport, importRequestSchema } from "@ims/api";
import type { FastifyInstance } from "fastify";
import type { SubscriberRecord } from "../hss/subscriber-repository.ts";
import { readNewSubscriber } from "./subscriber-document.ts";
import { parse, type RouteModules } from "./subscriber-routes.ts";

/** Rows of one turn of the event loop: about a millisecond, so calls go on during an import. */
const ROWS_PER_TURN = 16;

/** Many subscribers in one transaction; every wrong row is reported by its index. */
export function importRoute(app: FastifyInstance, realm: string, { hss, log }: RouteModules): void {
  app.post("/subscribers/import", async (request): Promise<ImportReport> => {
    const { dryRun, partial, subscribers } = parse(importRequestSchema, request.body);
    const rows: ImportReport["rows"] = [];
    const written = await hss.exclusively(async () => {
      let good = 0;
      for (const [index, given] of subscribers.entries()) {
        if (index % ROWS_PER_TURN === 0) await nextTurn();
        const reading = readNewSubscriber(given, realm);
        const error = reading.kind === "wrong" ? reading.error : write(reading.record);
        if (error === undefined) good++;
        else rows.push({ index, ...impiOf(reading), error });
      }
      const keep = !dryRun && (partial || rows.length === 0);
      return { keep, value: keep ? good : 0 };
    });
    log.info({ applied: written, wrong: rows.length, dryRun }, "subscribers imported");
    return { applied: written, rows };
  });

  function write(record: SubscriberRecord): string | undefined {
    const result = hss.add(record);
    if (result.kind !== "conflict") return undefined;
    return result.identity === result.owner
      ? `${result.identity} exists already`
      : `${result.identity} belongs to ${result.owner}`;
  }
}

function impiOf(reading: ReturnType<typeof readNewSubscriber>): { impi?: string } {
  const impi = reading.kind === "wrong" ? reading.impi : reading.record.impi;
  return impi === undefined ? {} : { impi };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
