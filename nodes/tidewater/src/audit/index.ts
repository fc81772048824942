import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@ims/runtime";
import { memcachedStore, openCassandra, parseServers } from "@ims/store";
import { Command, InvalidArgumentError } from "commander";
import { openStoreTls, type StoreTlsGiven, withStoreTls } from "../store-tls.ts";
import { type Audit, compareBindings } from "./compare.ts";
import { readSippTrace } from "./sipp-trace.ts";
import { type BindingSource, cassandraSource, fileSource, workingSource } from "./stored.ts";
import { readToldLines, type Told } from "./told.ts";

interface Given extends StoreTlsGiven {
  readonly told?: readonly string[];
  readonly sipp?: readonly string[];
  readonly sippUtcOffset: number;
  readonly memcached?: string;
  readonly cassandra?: string;
  readonly cassandraKeyspace: string;
  readonly cassandraDatacenter: string;
  readonly stateDir?: string;
  readonly grace: number;
  readonly tolerance: number;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Write a number of seconds.");
}

/** `tidewater audit bindings`: what UEs were told beside what the stores hold. */
export function auditCommand(exit: (code: number) => void): Command {
  const audit = new Command("audit").description("compare what was promised with what is stored");
  withStoreTls(audit.command("bindings"))
    .description(
      "compare the bindings that UEs were told of (200 to REGISTER) with what memcached and Cassandra, or the file of one sprout, hold; exit code 1 when something is lost, resurrected, differing or expired but present",
    )
    .option(
      "--told <file>",
      "JSON lines of acknowledged REGISTERs: aor, contact, expiresAt (ms), callId, cseq, at (ms); may be repeated",
      collect,
    )
    .option("--sipp <file>", "message trace of SIPp (-trace_msg); may be repeated", collect)
    .option("--sipp-utc-offset <s>", "how far the clock in the trace is ahead of UTC", seconds, 0)
    .option("--memcached <servers>", "host:port,... as sprout has it")
    .option("--cassandra <nodes>", "host:port,... as sprout has it")
    .option("--cassandra-keyspace <name>", "keyspace", "tidewater")
    .option("--cassandra-datacenter <name>", "nearest data centre", "datacenter1")
    .option("--state-dir <dir>", "state directory of a sprout without Cassandra")
    .option("--grace <s>", "how long an expired binding may still be there", seconds, 180)
    .option("--tolerance <s>", "how far two times may differ", seconds, 2)
    .option("--json", "print JSON")
    .action(async (given: Given) => exit(await auditBindings(given)));
  return audit;
}

async function auditBindings(given: Given): Promise<number> {
  const told: Told = new Map();
  let answers = 0;
  for (const file of given.told ?? []) answers += readToldLines(readFileSync(file, "utf8"), file, told);
  for (const file of given.sipp ?? [])
    answers += readSippTrace(readFileSync(file, "utf8"), told, given.sippUtcOffset * 1000);
  if (answers === 0)
    throw new Error("nothing to compare with: give --told or --sipp a file with acknowledged REGISTERs");
  const { sources, close } = await openSources(given);
  try {
    const audit = await compareBindings(told, sources, {
      now: Date.now(),
      graceMs: given.grace * 1000,
      toleranceMs: given.tolerance * 1000,
    });
    console.log(given.json === true ? JSON.stringify(audit) : table(audit, sources));
    return audit.findings.length === 0 ? 0 : 1;
  } finally {
    await close();
  }
}

async function openSources(
  given: Given,
): Promise<{ sources: readonly BindingSource[]; close: () => Promise<void> }> {
  const clock = systemClock();
  const tls = openStoreTls(given);
  const sources: BindingSource[] = [];
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing) await one();
  };
  try {
    if (given.memcached !== undefined) {
      const store = memcachedStore({ servers: parseServers(given.memcached), clock, tls });
      closing.push(() => store.stop());
      await store.start();
      sources.push(workingSource(store));
    }
    if (given.cassandra !== undefined) {
      const session = await openCassandra({
        contactPoints: given.cassandra.split(","),
        keyspace: given.cassandraKeyspace,
        localDataCenter: given.cassandraDatacenter,
        tls: tls?.clientOptions(),
        clock,
      });
      closing.push(() => session.shutdown());
      sources.push(cassandraSource(session));
    }
    if (given.stateDir !== undefined) {
      const path = join(given.stateDir, "registrations.db");
      try {
        const source = fileSource(path, () => clock.now());
        closing.push(() => source.close());
        sources.push(source);
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${path}: ${problem}`, { cause });
      }
    }
    if (sources.length === 0)
      throw new Error("no store to look into: give --memcached, --cassandra or --state-dir");
    return { sources, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function table(
  { identities, bindings, notInWorkingCopy, findings }: Audit,
  sources: readonly BindingSource[],
): string {
  const lines: string[] = [];
  if (findings.length > 0) {
    const rows = [["FINDING", "IDENTITY", "CONTACT", "STORE", "WHAT"]];
    for (const { kind, aor, contact, store, problem } of findings)
      rows.push([kind, aor, contact, store, problem]);
    const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of rows)
      lines.push(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    lines.push("");
  }
  const stores = sources.map(({ name }) => name).join(" and ");
  const missing = notInWorkingCopy > 0 ? `, ${notInWorkingCopy} to be fetched when needed` : "";
  const result = findings.length === 0 ? "all as acknowledged" : `${findings.length} findings`;
  lines.push(`${bindings} bindings of ${identities} identities against ${stores}${missing}: ${result}.`);
  return lines.join("\n");
}
