import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { commandLine, type SuiteOptions } from "./command-line.ts";
import { allCells, cellsFor, nameOf } from "./nemesis/cells.ts";
import { conclude } from "./report/conclude.ts";
import { killEverything } from "./run/bench.ts";
import { runMatrix } from "./run/matrix.ts";
import { SHORT } from "./run/short.ts";
import { runShows, showNames } from "./shows/shows.ts";
import { makeHub, removeLeftOvers, removeNamespaces, whyNoNamespaces } from "./system/namespaces.ts";

/** Name of the network namespace we are in, when an outer process of ours has made one. */
const HUB = "TIDEWATER_FAULTS_HUB";
const SCRIPTS = join(import.meta.dirname, "../../scripts");
const NO_HUB = "TIDEWATER_FAULTS_NO_HUB";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = commandLine(process.argv.slice(2));
  if (wanted.kind === "help") return told(wanted.text, 0);
  if (wanted.kind === "wrong")
    return told(`test:faults: ${wanted.text} (add --help to see what is possible)`, 2);
  const { options } = wanted;
  if (options.list) {
    const names = options.shows
      ? showNames()
      : (options.only === "" ? allCells() : cellsFor(options.only)).map(nameOf);
    return told(names.join("\n"), 0);
  }
  if (process.env[HUB] !== undefined) return await inside(options, process.env[HUB], undefined);
  if (process.env[NO_HUB] !== undefined) return await inside(options, undefined, process.env[NO_HUB]);
  installStores(options.stores);
  return await outside(whyNoNamespaces());
}

/** The stores are real servers; the scripts of the project install them where they are missing. */
function installStores(stores: string): void {
  const run = (script: string): void => {
    const done = spawnSync("sh", [join(SCRIPTS, script)], { stdio: ["ignore", "ignore", "inherit"] });
    if (done.status !== 0) process.exit(1);
  };
  if (stores.includes("cassandra")) run("install-cassandra");
  if (stores.includes("memcached") && spawnSync("memcached", ["-V"]).error !== undefined)
    run("install-test-tools");
}

/** Makes a namespace for the suite, runs it there, and removes all that is left of it however it ends. */
async function outside(why: string | undefined): Promise<number> {
  removeLeftOvers();
  const hub = why === undefined ? makeHub() : undefined;
  const enter = hub === undefined ? [] : ["nsenter", `--net=/run/netns/${hub}`];
  const [command = process.execPath, ...args] = [
    ...enter,
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ];
  const env = { ...process.env, ...(hub === undefined ? { [NO_HUB]: why ?? "" } : { [HUB]: hub }) };
  const child = spawn(command, args, { stdio: "inherit", env });
  const pass = (name: NodeJS.Signals): void => void child.kill(name);
  process.on("SIGINT", pass).on("SIGTERM", pass).on("SIGHUP", pass);
  try {
    return await new Promise((done, failed) => {
      child.once("error", failed);
      child.once("exit", (code, name) => done(code ?? 128 + (name === null ? 0 : constants.signals[name])));
    });
  } finally {
    if (hub !== undefined) removeNamespaces(hub);
  }
}

async function inside(
  options: SuiteOptions,
  hub: string | undefined,
  noNamespaces: string | undefined,
): Promise<number> {
  process.on("exit", killEverything);
  // Nobody is there to remove the namespace when the outer process was killed: then this one ends too.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 500).unref();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => process.exit(128 + constants.signals[name]));
  const folder = options.out === "" ? mkdtempSync(join(tmpdir(), "tidewater-faults-")) : resolve(options.out);
  mkdirSync(folder, { recursive: true });
  say(`seed ${options.seed}; histories, logs and results in ${folder}`);
  const bench = { options, folder, hub, say };
  const { cells, rounds } = options.short ? SHORT : { cells: options.only, rounds: options.rounds };
  try {
    const result = options.shows
      ? await runShows(options.only, bench)
      : await runMatrix(cells, rounds, bench, noNamespaces);
    return conclude(result, options, folder, say);
  } catch (error) {
    return told(`test:faults: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

function told(text: string, code: number): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return code;
}
