import { lstatSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { arch, cpus, freemem, hostname, loadavg, release, totalmem, uptime } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { VERSION } from "@ims/runtime";
import type { Command } from "commander";
import { reasonOf } from "../explain.ts";
import { askNode } from "./ask-node.ts";
import {
  type AskedNode,
  type NodesGiven,
  nodesCommand,
  nodesOf,
  runningNodes,
  withToken,
} from "./running-nodes.ts";
import { type TarEntry, tarOf } from "./tar.ts";

interface Given extends NodesGiven {
  readonly out?: string;
}

/** What every node is asked for, and the file that it goes to. */
const PARTS = [
  ["/about", "about.json"],
  ["/alarms", "alarms.json"],
  ["/health/ready", "health.txt"],
  ["/log-level", "log-level.json"],
  ["/metrics", "metrics.txt"],
  ["/logs", "log.jsonl"],
] as const;
/** Names in the listing of the state directory. */
const MAX_LISTED = 5_000;

/** `tidewater diagnose`: everything that a report of a fault needs, in one file. Exit code 1 when a node did not answer. */
export function diagnoseCommand(exit: (code: number) => void): Command {
  return nodesCommand(
    "diagnose",
    "gather versions, options without secrets, alarms, health, metrics and the last log lines of all nodes in one .tar.gz",
  )
    .option("--out <file>", "where to; default: tidewater-diagnostics-<time>.tar.gz")
    .action(async (given: Given) => exit(await diagnose(given)));
}

async function diagnose(given: Given): Promise<number> {
  const now = new Date();
  const time = now.toISOString().replace(/[-:]|\..*/g, "");
  const root = `tidewater-diagnostics-${time}Z`;
  const out = resolve(given.out ?? `${root}.tar.gz`);
  const nodes = wantedNodes(given);
  const gathered = await Promise.all(nodes.map((node, index) => gather(node, foldersOf(nodes)[index] ?? "")));
  const silent = gathered.filter(({ answers }) => !answers).length;
  const summary = {
    tidewater: VERSION,
    at: now.toISOString(),
    nodes: gathered.map(({ node: { token: _, ...node }, folder, answers, failures }) => ({
      ...node,
      ...{ folder, answers, failures },
    })),
  };
  const entries: TarEntry[] = [
    { name: "summary.json", content: jsonText(summary) },
    { name: "system.json", content: jsonText(system()) },
    { name: "state-dir.txt", content: listing(resolve(given.stateDir)) },
    ...gathered.flatMap(({ entries }) => entries),
  ];
  const archive = tarOf(
    entries.map((entry) => ({ ...entry, name: `${root}/${entry.name}` })),
    now.getTime(),
  );
  await writeNew(out, await promisify(gzip)(archive));
  if (given.json === true) console.log(JSON.stringify({ file: out, ...summary }, undefined, 2));
  else
    console.log(
      `${out}: ${nodes.length - silent} of ${nodes.length} nodes answered. It names subscribers and addresses, no keys or passwords: see who gets it.`,
    );
  return silent === 0 ? 0 : 1;
}

/** Where nothing runs, that and what is in the state directory is worth knowing. */
function wantedNodes(given: NodesGiven): readonly AskedNode[] {
  if (given.url === undefined && given.node === undefined) return withToken(nodesOf(given.stateDir), given);
  return runningNodes(given);
}

/** sprout, sprout-2, ...: names of nodes are not unique in a pool. */
function foldersOf(nodes: readonly AskedNode[]): readonly string[] {
  const counts = new Map<string, number>();
  return nodes.map(({ node }) => {
    const name = node.replace(/[^A-Za-z0-9.-]/g, "_").slice(0, 40);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

async function gather(
  node: AskedNode,
  folder: string,
): Promise<{ node: AskedNode; folder: string; answers: boolean; failures: string[]; entries: TarEntry[] }> {
  const entries: TarEntry[] = [];
  const failures: string[] = [];
  let answers = false;
  // One after the other: a node in trouble is not to be given six things at once.
  for (const [path, file] of PARTS) {
    const reply = await askNode(node, path);
    if (reply.kind === "silent") {
      failures.push(`${path}: ${reply.problem}`);
      if (!answers) break;
      continue;
    }
    answers = true;
    const refused = reply.status !== 200 && path !== "/health/ready";
    if (refused) failures.push(`${path}: ${reply.status} ${reply.text.trim().slice(0, 300)}`);
    else entries.push({ name: `${folder}/${file}`, content: reply.text });
  }
  return { node, folder, answers, failures, entries };
}

function system(): object {
  return {
    hostname: hostname(),
    ...{ platform: process.platform, arch: arch(), kernel: release(), node: process.version },
    ...{ processors: cpus().length, memoryBytes: totalmem(), freeBytes: freemem() },
    ...{ load: loadavg(), uptimeSeconds: Math.round(uptime()) },
  };
}

/** Names, sizes and times; never what is in the files. */
function listing(folder: string): string {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
    const lines = names.slice(0, MAX_LISTED).map((name) => lineOf(folder, name));
    if (names.length > MAX_LISTED) lines.push(`and ${names.length - MAX_LISTED} more`);
    return `${[folder, ...lines].join("\n")}\n`;
  } catch (error) {
    return `${folder}: ${reasonOf(error)}\n`;
  }
}

function lineOf(folder: string, name: string): string {
  const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
  if (found === undefined) return `${"-".padStart(12)} ${name}`;
  return `${String(found.size).padStart(12)} ${found.mtime.toISOString()} ${(found.mode & 0o777).toString(8)} ${name}`;
}

/** For its owner only; a file that is there already stays. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
