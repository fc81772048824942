import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** One run of SIPp. */
export type SippOptions = {
  /** Path of the scenario file; `<?include part/x.xml?>` in it is replaced by that file (paths from the scenario's folder). */
  readonly scenario: string;
  /** Where requests go, `host:port`; none for a scenario that only waits. */
  readonly target?: string;
  readonly args?: readonly string[];
  /** Rows of the injection file, one a call; `fieldN` is the Nth cell. Cells cannot hold a semicolon. */
  readonly csv?: readonly (readonly string[])[];
  /** How the rows are handed out. Default SEQUENTIAL. */
  readonly csvOrder?: "SEQUENTIAL" | "RANDOM" | "USER";
  /** Replaces `@NAME@` in the scenario. */
  readonly fill?: Readonly<Record<string, string>>;
  /** `-key NAME VALUE`: what the scenario reads as `[NAME]`. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Scenario for requests outside the calls this SIPp started (`-oocsf`). */
  readonly outOfCall?: string;
  /** SIPp is ended when it takes longer. */
  readonly timeoutMs: number;
  /** Keep every message for `messages`. Default true; a load run says no. */
  readonly traceMessages?: boolean;
};

export type SippResult = {
  /** 0: every call went as the scenario says; 1: at least one did not; null: ended by a signal. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly stats: SippStats;
  /** What SIPp complained about: unexpected messages, failed checks, time-outs. */
  readonly errors: string;
  readonly screen: string;
  /** Lines of the scenario's `<log>` actions. */
  readonly logs: readonly string[];
  readonly messages: string;
  /** Milliseconds by `rtd` name, in the order they were measured. */
  readonly responseTimes: ReadonlyMap<string, readonly number[]>;
};

export type SippStats = {
  readonly successful: number;
  readonly failed: number;
  readonly created: number;
  readonly retransmissions: number;
};

export type RunningSipp = {
  readonly pid: number;
  readonly done: Promise<SippResult>;
  /** Counters so far, at most a second old. */
  stats(): SippStats;
  /** Lines of the scenario's `<log>` actions so far. */
  logs(): string[];
  /** No new calls; ends when the running ones have, or without them after `withinMs`. */
  finish(withinMs?: number): Promise<SippResult>;
};

export type Missing = { readonly kind: "missing"; readonly reason: string };

/** What ended calls, by how often: status lines and methods of messages that the scenario did not expect. */
export function unexpectedStatuses(errors: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  // Of a dead call SIPp tells what comes after its end: that ended nothing.
  const ended = errors.replaceAll(/Dead call .*/g, "");
  for (const [, line = ""] of ended.matchAll(/received '(?:SIP\/2\.0 )?(\d{3} [^\r\n]*|[A-Z]+ )/g)) {
    const status = line.trim();
    found.set(status, (found.get(status) ?? 0) + 1);
  }
  return found;
}

/** Null when SIPp can run, else why not. */
export function sippMissing(): Missing | null {
  // `sipp -v` ends with 99.
  const found = spawnSync("sipp", ["-v"], { encoding: "utf8" });
  if (found.error === undefined && found.stdout.includes("SIPp v")) return null;
  return { kind: "missing", reason: "SIPp is not installed: sh scripts/install-test-tools" };
}

/** Runs a scenario to its end. */
export function runSipp(options: SippOptions): Promise<SippResult> {
  return startSipp(options).done;
}

/** Starts a scenario; the caller awaits `done` or calls `finish`. */
export function startSipp(options: SippOptions): RunningSipp {
  const directory = mkdtempSync(join(tmpdir(), "sipp-"));
  const child = launch(options, directory);
  let timedOut = false;
  let ended: SippResult | undefined;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeoutMs);
  const done = new Promise<SippResult>((resolve, reject) => {
    child.once("error", (cause) => {
      clearTimeout(timer);
      rmSync(directory, { recursive: true, force: true });
      reject(new Error("SIPp cannot be started: sh scripts/install-test-tools", { cause }));
    });
    child.once("exit", (exitCode) => {
      clearTimeout(timer);
      const result = collect(directory, exitCode, timedOut);
      ended = result;
      rmSync(directory, { recursive: true, force: true });
      resolve(result);
    });
  });
  const finish = async (withinMs = 5000): Promise<SippResult> => {
    // Once: no new calls. Twice: end now, with files written.
    child.kill("SIGUSR1");
    const now = setTimeout(() => child.kill("SIGUSR1"), withinMs);
    const hard = setTimeout(() => child.kill("SIGKILL"), withinMs + 300);
    const result = await done;
    clearTimeout(now);
    clearTimeout(hard);
    return result;
  };
  return {
    pid: child.pid ?? 0,
    done,
    finish,
    stats: () => ended?.stats ?? readStats(directory),
    logs: () => (ended === undefined ? readLogs(directory) : [...ended.logs]),
  };
}

const SOCKETS = 15_000;
/** Beside those of the UEs. */
const OTHER_SOCKETS = 500;

/** SIPp wants its sockets and its calls together to be fewer than the files it may open. */
function socketsOf({ csv, args }: SippOptions): number {
  const one = args?.includes("ui") === true; // a socket for each UE
  return one && csv !== undefined ? Math.min(SOCKETS, csv.length + OTHER_SOCKETS) : SOCKETS;
}

function launch(options: SippOptions, directory: string): ChildProcess {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return name;
  };
  const args = ["-sf", file("scenario.xml", readScenario(options.scenario, options.fill)), "-nostdin"];
  if (options.target !== undefined) args.unshift(options.target);
  if (options.outOfCall !== undefined)
    args.push("-oocsf", file("out-of-call.xml", readScenario(options.outOfCall, options.fill)));
  if (options.csv !== undefined) {
    const rows = options.csv.map((row) => `${row.join(";")}\n`).join("");
    args.push("-inf", file("users.csv", `${options.csvOrder ?? "SEQUENTIAL"}\n${rows}`));
  }
  for (const [name, value] of Object.entries(options.keys ?? {})) args.push("-key", name, value);
  args.push("-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", "1");
  args.push("-trace_err", "-error_file", "errors.log", "-trace_screen", "-screen_file", "screen.log");
  args.push("-trace_logs", "-log_file", "logs.log", "-max_socket", String(socketsOf(options)));
  if (options.traceMessages !== false) args.push("-trace_msg", "-message_file", "messages.log");
  const output = openSync(join(directory, "output.log"), "w");
  const child = spawn("sipp", [...args, ...(options.args ?? [])], {
    cwd: directory,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  return child;
}

/** A scenario with its includes and names filled in, as SIPp reads it. */
export function readScenario(path: string, fill: Readonly<Record<string, string>> = {}): string {
  return include(readFileSync(path, "utf8"), dirname(path), 0).replaceAll(
    /@([A-Z_]+)@/g,
    (whole, name: string) => (Object.hasOwn(fill, name) ? (fill[name] ?? whole) : whole),
  );
}

function include(text: string, folder: string, depth: number): string {
  if (depth > 5) throw new Error("scenario parts include each other");
  return text.replaceAll(/<\?include ([\w./-]+)\?>\n?/g, (_whole, name: string) =>
    include(readFileSync(join(folder, name), "utf8"), folder, depth + 1),
  );
}

function collect(directory: string, exitCode: number | null, timedOut: boolean): SippResult {
  const read = (name: string): string => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, "latin1") : "";
  };
  const output = read("output.log");
  return {
    exitCode,
    timedOut,
    stats: readStats(directory),
    // Complaints before the scenario runs (a bad scenario, a taken port) go to the standard output only.
    errors: `${read("errors.log")}${exitCode === 0 || exitCode === 1 ? "" : output.slice(-4000)}`,
    screen: read("screen.log"),
    logs: readLogs(directory),
    messages: read("messages.log"),
    responseTimes: parseResponseTimes(read(rttFile(directory))),
  };
}

// SIPp names this file after the scenario and its process id, and nothing changes that.
function rttFile(directory: string): string {
  return readdirSync(directory).find((name) => name.endsWith("_rtt.csv")) ?? "none";
}

function readLogs(directory: string): string[] {
  const path = join(directory, "logs.log");
  if (!existsSync(path)) return [];
  return readFileSync(path, "latin1")
    .split("\n")
    .filter((line) => line !== "");
}

/** The last row of SIPp's statistics; columns marked (C) count from the start. */
function readStats(directory: string): SippStats {
  const path = join(directory, "stat.csv");
  const lines = existsSync(path) ? readFileSync(path, "latin1").trim().split("\n") : [];
  const names = lines[0]?.split(";") ?? [];
  const cells = lines.length > 1 ? (lines.at(-1)?.split(";") ?? []) : [];
  const column = (name: string): number => Number(cells[names.indexOf(name)] ?? 0);
  return {
    successful: column("SuccessfulCall(C)"),
    failed: column("FailedCall(C)"),
    created: column("TotalCallCreated"),
    retransmissions: column("Retransmissions(C)"),
  };
}

function parseResponseTimes(text: string): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const [date, time, name] = line.trim().split(";");
    if (date === undefined || name === undefined || !/^\d/.test(date)) continue;
    const list = times.get(name);
    if (list === undefined) times.set(name, [Number(time)]);
    else list.push(Number(time));
  }
  return times;
}
