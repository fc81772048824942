import { homedir } from "node:os";
import {
  type Check,
  Cinder,
  Glance,
  Heat,
  HeatDriver,
  MODEL_FOLDER,
  Neutron,
  Nova,
  OpenStackError,
  OpenStackSession,
  type Outcome,
  type Run,
  readCloud,
  readModel,
  readVnfdFacts,
  realPace,
  refusalsIn,
  Sol003Driver,
  type VnfDriver,
  type VnfdFacts,
  type VnfModel,
  Vnfm,
} from "@ims/vnf";
import { Command, InvalidArgumentError, Option } from "commander";
import { progressOn } from "../terminal/progress.ts";
import { drawsOn } from "../terminal/screen.ts";

/** Options of every command that talks to a cloud. */
export interface CloudGiven {
  readonly cloud?: string;
  readonly timeout: number;
  readonly model: string;
  readonly json?: boolean;
  /** Default: heat. */
  readonly via?: "heat" | "sol003";
  /** s, of a termination through a VNF manager. */
  readonly graceful?: number;
}

/** What a command works with. */
export interface CloudTools {
  readonly driver: VnfDriver;
  /** Straight through Heat, whatever `driver` is. */
  readonly byHeat: HeatDriver;
  readonly vnfm: Vnfm;
  readonly session: OpenStackSession;
  /** Identifiers of our descriptors; with --via sol003. */
  readonly ours: readonly string[];
  readonly heat: Heat;
  readonly nova: Nova;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly glance: Glance;
  readonly model: VnfModel;
  readonly run: Run;
}

/** A command that talks to a cloud: --cloud, --timeout, --json. */
export function cloudCommand(name: string, description: string, minutes = 60): Command {
  return new Command(name)
    .description(description)
    .option("--cloud <name>", "entry of clouds.yaml; default: OS_CLOUD, or OS_* variables")
    .option("--timeout <minutes>", "longest to wait for the cloud", positive, minutes)
    .option("--model <folder>", "folder with vdus.yaml, networks.yaml, zones.yaml, ports.yaml", MODEL_FOLDER)
    .option("--json", "print JSON; progress goes to standard error in any case");
}

/** For commands that a VNF manager can carry out as well. */
export function withVia(command: Command): Command {
  return command.addOption(
    new Option("--via <driver>", "heat: straight; sol003: through the VNF manager (Tacker) of the cloud")
      .choices(["heat", "sol003"])
      .default("heat"),
  );
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 100_000) throw new InvalidArgumentError("write a number above 0");
  return value;
}

export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** "name=value" options; a problem is told by commander. */
export function collectPairs(
  text: string,
  before: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const at = text.indexOf("=");
  if (at <= 0) throw new InvalidArgumentError("write <name>=<value>");
  return new Map([...before, [text.slice(0, at), text.slice(at + 1)]]);
}

/**
 * Opens the cloud, does the work, tells its outcome. Ctrl-C ends the waiting, not what the cloud does. Gives the exit
 * code: 0 done, 1 failed or refused.
 */
export async function withCloud(
  given: CloudGiven,
  work: (tools: CloudTools) => Promise<Outcome | number>,
): Promise<number> {
  const reading = readCloud({
    environment: process.env,
    folder: process.cwd(),
    home: homedir(),
    ...(given.cloud === undefined ? {} : { cloud: given.cloud }),
  });
  const model = readModel(given.model);
  if (reading.kind === "bad")
    return tellOutcome({ kind: "failed", reason: reading.problem, exists: [], next: [] }, given);
  if (model.kind === "bad") {
    const [fault] = model.faults;
    const reason = `${fault?.file ?? given.model}: ${fault?.problem ?? ""}`;
    return tellOutcome({ kind: "failed", reason, exists: [], next: [] }, given);
  }
  let facts: VnfdFacts | undefined;
  if (given.via === "sol003") {
    const read = readVnfdFacts(model.model, given.model);
    if (read.kind === "bad") {
      const [fault] = read.faults;
      const reason = `${fault?.file ?? given.model}: ${fault?.problem ?? ""}`;
      return tellOutcome({ kind: "failed", reason, exists: [], next: [] }, given);
    }
    facts = read.facts;
  }
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const begun = Date.now();
  const shown = progressOn(process.stderr);
  const progress = (line: string): void => {
    const seconds = Math.round((Date.now() - begun) / 1_000);
    shown.line(`${String(seconds).padStart(5)} s  ${line}`);
  };
  let session: OpenStackSession | undefined;
  try {
    session = new OpenStackSession(reading.cloud, {
      pace: realPace,
      onRetry: (reason, ms) => progress(`${reason}; again in ${Math.round(ms / 1_000)} s`),
    });
    const modules = {
      heat: new Heat(session),
      nova: new Nova(session),
      neutron: new Neutron(session),
      cinder: new Cinder(session),
      glance: new Glance(session),
    };
    const run: Run = {
      ...{ pace: realPace, progress, timeoutMs: given.timeout * 60_000, signal: stop.signal },
      ...(drawsOn(process.stderr) ? { amount: shown.say } : {}),
    };
    const byHeat = new HeatDriver(modules);
    const vnfm = new Vnfm(session);
    const driver: VnfDriver =
      facts === undefined
        ? byHeat
        : new Sol003Driver({
            ...{ vnfm, nova: modules.nova, model: model.model, facts },
            ...(given.graceful === undefined ? {} : { gracefulSeconds: given.graceful }),
          });
    const ours = Object.values(facts?.descriptors ?? {});
    const result = await work({ ...modules, driver, byHeat, vnfm, session, ours, model: model.model, run });
    shown.end();
    return typeof result === "number" ? result : tellOutcome(result, given);
  } catch (error) {
    shown.end();
    const interrupted = stop.signal.aborted;
    if (!interrupted && !(error instanceof OpenStackError)) throw error;
    const reason = interrupted || !(error instanceof OpenStackError) ? "interrupted" : error.message;
    return tellOutcome({ kind: "failed", reason, exists: [], next: [] }, given);
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
    await session?.close();
  }
}

/** Gives the exit code. */
export function tellOutcome(outcome: Outcome, { json }: { readonly json?: boolean }): number {
  if (json === true) console.log(JSON.stringify(outcome));
  if (outcome.kind === "done") {
    if (json !== true) console.log(outcome.said);
    return 0;
  }
  process.stderr.write(`tidewater: ${outcome.reason}\n`);
  for (const line of outcome.exists) process.stderr.write(`  exists now: ${line}\n`);
  for (const line of outcome.next) process.stderr.write(`  go on: ${line}\n`);
  return 1;
}

/** Prints checks; gives the exit code. */
export function tellChecks(checks: readonly Check[], json: boolean): number {
  if (json) console.log(JSON.stringify(checks, undefined, 2));
  else
    for (const { check, verdict, what, remedy } of checks)
      console.log(
        `${verdict.padEnd(8)} ${check.padEnd(9)} ${what}${remedy === undefined ? "" : `; ${remedy}`}`,
      );
  return refusalsIn(checks).length === 0 ? 0 : 1;
}
