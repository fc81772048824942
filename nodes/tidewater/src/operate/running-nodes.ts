import { join, resolve } from "node:path";
import { readRunFiles } from "@ims/runtime";
import { Command, InvalidArgumentError } from "commander";
import { managementTokenOf } from "./management-token.ts";

/** A process with a management port. */
export interface RunningNode {
  /** "sprout"; of a process named by its URL only: host and port. */
  readonly node: string;
  /** http://address:port */
  readonly url: string;
  readonly pid?: number;
}

/** How its management port is asked. */
export interface AskedNode extends RunningNode {
  /** The management token, where one is needed. */
  readonly token?: string;
}

/** Options of every command that asks running nodes. */
export interface NodesGiven {
  readonly stateDir: string;
  readonly url?: readonly string[];
  readonly node?: readonly string[];
  readonly tokenFile?: string;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function managementUrl(text: string, before: readonly string[] = []): string[] {
  const url = URL.parse(text);
  if (url?.protocol !== "http:" || url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw new InvalidArgumentError("Write it as http://127.0.0.1:9000, the management port of a node.");
  return [...before, url.origin];
}

/** A command that asks the nodes of a state directory, or those of `--url`. */
export function nodesCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--state-dir <dir>", "that of the running tidewater up", ".tidewater")
    .option("--url <url>", "management port of a node instead; may be repeated", managementUrl)
    .option(
      "--token-file <file>",
      "file with the management token, where the nodes have one (default: that of the state directory)",
    )
    .option("--node <name>", "only these nodes: sprout; may be repeated", collect)
    .option("--json", "print JSON");
}

/** Folder of a state directory in which nodes say where their management port is. */
export function runDirOf(stateDir: string): string {
  return join(resolve(stateDir), "run");
}

/** The nodes that a command is about, by name. Throws one line when there are none. */
export function runningNodes(given: NodesGiven): readonly AskedNode[] {
  const all = given.url?.map((url) => ({ node: new URL(url).host, url })) ?? nodesOf(given.stateDir);
  const wanted = given.node ?? [];
  const nodes = all.filter(({ node }) => wanted.length === 0 || wanted.includes(node));
  if (nodes.length > 0) return withToken(nodes, given);
  const what = wanted.length === 0 ? "no node" : `no ${wanted.join(" or ")}`;
  throw new Error(
    `${what} is running with the state directory ${resolve(given.stateDir)} (--state-dir, or --url)`,
  );
}

/** The same nodes, asked with the token of `--token-file` or of their state directory. */
export function withToken(nodes: readonly RunningNode[], given: NodesGiven): readonly AskedNode[] {
  const token = managementTokenOf({ ...given, named: given.url !== undefined });
  if (token === undefined) return nodes;
  return nodes.map((node) => ({ ...node, token }));
}

/** By the files in its run folder; those of processes that are gone do not count. */
export function nodesOf(stateDir: string): readonly RunningNode[] {
  return readRunFiles(runDirOf(stateDir))
    .flatMap(({ alive, ...node }) => (alive ? [node] : []))
    .sort((a, b) => (a.node === b.node ? a.url.localeCompare(b.url) : a.node < b.node ? -1 : 1));
}
