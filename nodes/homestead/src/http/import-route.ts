import { type ImportReport, importRequestSchema } from "@ims/api";
import { nextTurn } from "@ims/runtime";
import type { FastifyInstance } from "fastify";
import { UNAVAILABLE } from "../hss/hss.ts";
import type { RowFault, SubscriberRecord } from "../hss/subscriber-repository.ts";
import { storeAway } from "./problem.ts";
import { differenceFrom } from "./same-subscriber.ts";
import { readNewSubscriber } from "./subscriber-document.ts";
import { parse, type RouteModules } from "./subscriber-routes.ts";

/** Rows read in one turn of the event loop: about a millisecond, so calls go on during an import. */
const ROWS_PER_TURN = 16;

type WrongRow = ImportReport["rows"][number];

interface Rows {
  readonly records: SubscriberRecord[];
  /** Which row each record is of. */
  readonly indexes: number[];
  readonly wrong: WrongRow[];
}

/** Many subscribers at once; every wrong row is reported by its index. */
export function importRoute(app: FastifyInstance, realm: string, { subscribers, log }: RouteModules): void {
  app.post("/subscribers/import", async (request): Promise<ImportReport> => {
    const { dryRun, partial, existing, subscribers: given } = parse(importRequestSchema, request.body);
    const read = await readRows(given, realm);
    const known = existing === "keep" ? await withoutKnown(read, given) : undefined;
    const { records, indexes, wrong } = known ?? read;
    const nothing = !partial && wrong.length > 0;
    const result = await subscribers.import(records, { dryRun: dryRun || nothing, partial });
    if (result.applied === 0 && result.faults.some(({ fault }) => fault === "unavailable")) throw storeAway();
    const rows = [...wrong, ...result.faults.map((each) => refusedRow(each, records, indexes))];
    rows.sort((one, other) => one.index - other.index);
    log.info({ applied: result.applied, wrong: rows.length, dryRun }, "subscribers imported");
    return {
      applied: result.applied,
      ...(known === undefined ? {} : { unchanged: known.unchanged }),
      rows,
    };
  });

  /** Rows whose subscriber is there already, as they say or not, are not to be written. */
  async function withoutKnown(
    { records, indexes, wrong }: Rows,
    given: readonly unknown[],
  ): Promise<Rows & { readonly unchanged: number }> {
    const left: Rows = { records: [], indexes: [], wrong: [...wrong] };
    let unchanged = 0;
    for (const [at, record] of records.entries()) {
      if (at % ROWS_PER_TURN === 0) await nextTurn();
      const index = indexes[at] ?? at;
      const before = await subscribers.byPrivateIdentity(record.impi);
      if (before === UNAVAILABLE) throw storeAway();
      if (before === undefined) {
        left.records.push(record);
        left.indexes.push(index);
        continue;
      }
      const withServices = (given[index] as { services?: unknown }).services !== undefined;
      const difference = differenceFrom(before, record, { withServices });
      if (difference === undefined) unchanged++;
      else
        left.wrong.push({
          ...{ index, impi: record.impi },
          error: `${record.impi} exists already, with other ${difference}`,
        });
    }
    return { ...left, unchanged };
  }
}

async function readRows(given: readonly unknown[], realm: string): Promise<Rows> {
  const records: SubscriberRecord[] = [];
  const indexes: number[] = [];
  const wrong: WrongRow[] = [];
  for (const [index, each] of given.entries()) {
    if (index % ROWS_PER_TURN === 0) await nextTurn();
    const reading = readNewSubscriber(each, realm);
    if (reading.kind === "read") {
      records.push(reading.record);
      indexes.push(index);
    } else {
      const { impi, error } = reading;
      wrong.push({ index, ...(impi === undefined ? {} : { impi }), error });
    }
  }
  return { records, indexes, wrong };
}

function refusedRow(
  { index, fault }: RowFault,
  records: readonly SubscriberRecord[],
  indexes: readonly number[],
): WrongRow {
  const impi = records[index]?.impi;
  const named = { index: indexes[index] ?? index, ...(impi === undefined ? {} : { impi }) };
  if (fault === "unavailable")
    return { ...named, error: "not written: the subscriber store does not answer" };
  const { identity, owner } = fault;
  return {
    ...named,
    error: identity === owner ? `${identity} exists already` : `${identity} belongs to ${owner}`,
  };
}
