import { resolve } from "node:path";
import type { TrailNode } from "@ims/doctor";
import { InvalidArgumentError } from "commander";
import { z } from "zod";
import { nodesOf as nodesWithRunFile } from "../operate/running-nodes.ts";
import { askControl } from "../up/pools/control.ts";

const KEEPING: ReadonlySet<string> = new Set(["bono", "sprout", "homestead", "ralf"]);
/** Management ports, unless nodes are told others. */
const USUAL_PORTS = [
  ["bono", 9_101],
  ["sprout", 9_102],
  ["homestead", 9_103],
  ["ralf", 9_106],
] as const;

/** Processes of a running core, as its control socket lists them, or as `tidewater up --json` prints them. */
const listed = z.object({
  host: z.string().optional(),
  nodes: z.array(
    z.object({
      name: z.string(),
      host: z.string().optional(),
      state: z.string().optional(),
      ports: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** Reads NAME=URL, or a URL alone. */
export function trailNodeOf(text: string): TrailNode {
  const [, name = "", url = ""] = /^(?:([A-Za-z0-9][A-Za-z0-9.-]*)=)?(https?:\/\/.+)$/.exec(text) ?? [];
  const parsed = URL.parse(url);
  if (parsed === null)
    throw new InvalidArgumentError(
      "Write it as NAME=URL of a management port: bono-1=http://127.0.0.1:9101.",
    );
  return { name: name === "" ? parsed.host : name, url: parsed.origin };
}

/** Which nodes a command is about. */
export interface NodesWanted {
  readonly node?: readonly TrailNode[];
  readonly host?: string;
  readonly stateDir: string;
}

/** Are they given by their addresses, and not found in a state directory? */
export function areNamed({ node, host }: NodesWanted): boolean {
  return node !== undefined || host !== undefined;
}

/** Those that a command is about: named one by one, at an address, or of a state directory; else where they usually are. */
export async function nodesFor({ node, host, stateDir }: NodesWanted): Promise<readonly TrailNode[]> {
  if (node !== undefined) return node;
  if (host !== undefined) return usualNodes(host);
  const running = await runningNodes(stateDir);
  if (running !== undefined) return running;
  const written = nodesWithRunFile(stateDir).filter(({ node: name }) => KEEPING.has(name));
  return written.length > 0 ? written.map(({ node: name, url }) => ({ name, url })) : usualNodes("127.0.0.1");
}

/** An option that may be repeated. */
export function trailNodesOption(value: string, before: readonly TrailNode[] = []): TrailNode[] {
  return [...before, trailNodeOf(value)];
}

/** The nodes of the `tidewater up --pools` that runs with a state directory; undefined when there is none. */
export async function runningNodes(stateDir: string): Promise<TrailNode[] | undefined> {
  const answer = await askControl(resolve(stateDir), { command: "status" }, () => undefined).catch(
    () => undefined,
  );
  return answer === undefined ? undefined : nodesIn(answer);
}

/** One of each kind on one address, at the usual ports. */
export function usualNodes(host: string): TrailNode[] {
  return USUAL_PORTS.map(([name, port]) => ({
    name,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    optional: name === "ralf",
  }));
}

/** Those of a list that keep a trail. */
export function nodesIn(answer: unknown): TrailNode[] {
  const { host: common, nodes } = listed.parse(answer);
  return nodes.flatMap(({ name, host = common ?? "127.0.0.1", ports }) => {
    const port = ports["management"];
    const kind = name.replace(/-[0-9]+$/, "");
    if (!KEEPING.has(kind) || typeof port !== "number" || port === 0) return [];
    const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    return [{ name, url: `http://${near.includes(":") ? `[${near}]` : near}:${port}` }];
  });
}
