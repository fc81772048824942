import { readFileSync } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type PoolsFile, parsePoolsFile } from "@ims/runtime";
import {
  formatFault,
  monitoringFiles,
  PROMETHEUS_FILE,
  readModel,
  TARGETS_FILE,
  type VnfModel,
} from "@ims/vnf";
import { Command, InvalidArgumentError } from "commander";
import { nodesOf } from "../operate/running-nodes.ts";
import { writeWhole } from "../vnf/write-whole.ts";
import { type MonitoredNode, nodesOfPools, targetGroups } from "./targets.ts";

interface Given {
  readonly poolsFile?: string;
  readonly with?: readonly string[];
  readonly node?: readonly MonitoredNode[];
  readonly stateDir: string;
  readonly domain?: string;
  readonly targetsOnly?: boolean;
  readonly json?: boolean;
}

const DEFAULT_DOMAIN = "example.com";

/** `tidewater monitoring`: exit code 1 when there is nothing to monitor or something cannot be read, 2 for wrong use. */
export function monitoringCommand(exit: (code: number) => void): Command {
  return new Command("monitoring")
    .description(
      "write a configuration of Prometheus with the nodes and alert rules, and dashboards of Grafana, to a folder",
    )
    .argument("<folder>", "where to; prometheus.yml stays when it is there, the other files are replaced")
    .option("--pools-file <file>", "the nodes are the members of these pools")
    .option("--with <process>", "which runs beside members of a pool: ralf, homer; may be repeated", collect)
    .option(
      "--node <name=url>",
      "a node by its management port, as sprout-1=http://192.0.2.1:9102; may be repeated",
      node,
    )
    .option(
      "--state-dir <dir>",
      "otherwise the nodes are those of the tidewater up that runs with it",
      ".tidewater",
    )
    .option(
      "--domain <domain>",
      "home domain, a label of all series; default: that of the pools file, else example.com",
    )
    .option("--targets-only", "only the list of nodes: Prometheus sees the change by itself")
    .option("--json", "print JSON")
    .action(async (folder: string, given: Given) => exit(await monitoring(resolve(folder), given)));
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function node(text: string, before: readonly MonitoredNode[] = []): MonitoredNode[] {
  const [, name = "", url = ""] = /^([a-z][A-Za-z0-9.@-]*)=(http:\/\/[^/]+)\/?$/.exec(text) ?? [];
  const parsed = URL.parse(url);
  if (parsed === null || parsed.port === "")
    throw new InvalidArgumentError(
      "Write it as NAME=URL of a management port: bono-1=http://127.0.0.1:9101.",
    );
  return [...before, monitored(jobOf(name), name, parsed)];
}

/** bono-1 is a bono. */
function jobOf(name: string): string {
  return name.replace(/[-@].*$/, "");
}

function monitored(job: string, name: string, { hostname, port }: URL): MonitoredNode {
  return { job, name, host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

async function monitoring(folder: string, given: Given): Promise<number> {
  const model = readModel();
  if (model.kind === "bad") return refuse(model.faults.map(formatFault));
  const found = nodesIn(given, model.model);
  if (found.kind === "none") return refuse([found.problem]);
  const { nodes, domain } = found;
  const files = given.targetsOnly === true ? new Map<string, string>() : monitoringFiles();
  files.set(TARGETS_FILE, `${JSON.stringify(targetGroups(nodes, given.domain ?? domain), undefined, 2)}\n`);
  const kept: string[] = [];
  for (const [path, text] of files) {
    const file = join(folder, path);
    if (path === PROMETHEUS_FILE && (await exists(file))) {
      kept.push(path);
      continue;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeWhole(file, Buffer.from(text));
  }
  const what = kept.length === 0 ? "" : `, ${kept.join()} left as it was`;
  const written = files.size - kept.length;
  if (given.json === true) console.log(JSON.stringify({ folder, written, nodes, kept }));
  else console.log(`${folder}: ${written} files written, ${nodes.length} nodes${what}`);
  return 0;
}

type Found =
  | { readonly kind: "nodes"; readonly nodes: readonly MonitoredNode[]; readonly domain: string }
  | { readonly kind: "none"; readonly problem: string };

function nodesIn(given: Given, model: VnfModel): Found {
  const named = given.node ?? [];
  if (given.poolsFile === undefined) {
    const nodes = named.length > 0 ? named : running(given.stateDir);
    const problem = `no node runs with the state directory ${resolve(given.stateDir)}: --state-dir, --pools-file or --node names some`;
    return nodes.length === 0 ? { kind: "none", problem } : { kind: "nodes", nodes, domain: DEFAULT_DOMAIN };
  }
  const file = readPools(given.poolsFile);
  if (typeof file === "string") return { kind: "none", problem: `--pools-file ${given.poolsFile}: ${file}` };
  const beside = given.with ?? [];
  const stranger = beside.find((one) => !model.vdus.some(({ processes }) => processes.includes(one)));
  if (stranger !== undefined)
    return { kind: "none", problem: `--with ${stranger}: the VNF has no such process` };
  const nodes = [...nodesOfPools(file, model, beside), ...named];
  if (nodes.length === 0)
    return { kind: "none", problem: `--pools-file ${given.poolsFile}: no members in it` };
  return { kind: "nodes", nodes, domain: file.domain };
}

/** What is wrong with it, or what it says. */
function readPools(path: string): PoolsFile | string {
  const parsed = parsePoolsFile(readFileSync(path, "utf8"));
  return parsed.kind === "pools" ? parsed.pools : parsed.problem;
}

/** Nodes of one kind are told apart by their addresses. */
function running(stateDir: string): MonitoredNode[] {
  const nodes = nodesOf(stateDir);
  return nodes.map(({ node: job, url }) => {
    const alone = nodes.filter((one) => one.node === job).length === 1;
    return monitored(job, alone ? job : `${job}@${new URL(url).host}`, new URL(url));
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function refuse(lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`tidewater: ${line}\n`);
  return 1;
}
