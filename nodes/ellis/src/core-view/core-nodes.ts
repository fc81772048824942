import { readFileSync } from "node:fs";
import { parsePoolsFile, readRunFiles } from "@ims/runtime";

/** A process of the core that can be asked. */
export interface CoreNode {
  readonly name: string;
  /** bono, sprout, homestead, ralf, homer, ellis */
  readonly kind: string;
  /** http://address:port of its management port. */
  readonly url: string;
  readonly site?: string | undefined;
  /** It is told to take nothing new. */
  readonly draining: boolean;
}

export interface CoreNodesOptions {
  /** NAME=URL each. */
  readonly nodes: readonly string[];
  /** Folder where the nodes of this machine say which management port they have; "": none. */
  readonly runDir: string;
  /** File of the pools; "": none. */
  readonly poolsFile: string;
}

/** Management ports, unless nodes are told others. */
const USUAL_PORTS: ReadonlyMap<string, number> = new Map([
  ["bono", 9_101],
  ["sprout", 9_102],
  ["homestead", 9_103],
  ["homer", 9_104],
  ["ellis", 9_105],
  ["ralf", 9_106],
]);
/** They keep a trail. */
const KEEPING: ReadonlySet<string> = new Set(["bono", "sprout", "homestead", "ralf"]);

const NAMED = /^([A-Za-z0-9][A-Za-z0-9.-]{0,62})=(https?:\/\/[^/?#]+)\/?$/;

export function isNamedNode(text: string): boolean {
  const [, , url = ""] = NAMED.exec(text) ?? [];
  return URL.canParse(url);
}

export function keepsTrail({ kind }: Pick<CoreNode, "kind">): boolean {
  return KEEPING.has(kind);
}

/** Which nodes there are now: told one by one, by the pools file, by themselves in a run folder. */
export class CoreNodes {
  readonly #options: CoreNodesOptions;
  readonly #named: readonly CoreNode[];
  #pools: readonly CoreNode[] = [];
  #text = "";
  #problem: string | undefined;
  /** Of the run folder: processes that were seen alive; one that died without a word is still missed. */
  readonly #alive = new Set<string>();

  constructor(options: CoreNodesOptions) {
    this.#options = options;
    this.#named = options.nodes.flatMap((text) => {
      const [, name = "", url = ""] = NAMED.exec(text) ?? [];
      return name === "" ? [] : [{ name, kind: kindOf(name), url: new URL(url).origin, draining: false }];
    });
  }

  /** Why the pools file is not followed. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get configured(): boolean {
    const { nodes, runDir, poolsFile } = this.#options;
    return nodes.length > 0 || runDir !== "" || poolsFile !== "";
  }

  list(): readonly CoreNode[] {
    const found = new Map<string, CoreNode>();
    for (const node of [...this.#named, ...this.#inPools(), ...this.#inRunDir()])
      if (!found.has(node.url)) found.set(node.url, node);
    return withNamesOfTheirOwn([...found.values()]).sort(
      (a, b) => order(a) - order(b) || a.name.localeCompare(b.name, "en", { numeric: true }),
    );
  }

  #inPools(): readonly CoreNode[] {
    const { poolsFile } = this.#options;
    if (poolsFile === "") return [];
    let text: string;
    try {
      text = readFileSync(poolsFile, "utf8");
    } catch (error) {
      this.#problem = `the pools file cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
      return this.#pools;
    }
    if (text === this.#text) return this.#pools;
    this.#text = text;
    const read = parsePoolsFile(text);
    if (read.kind === "invalid") {
      this.#problem = `the pools file ${read.problem}`;
      return this.#pools;
    }
    this.#problem = undefined;
    this.#pools = read.pools.pools.flatMap(({ name: kind, members }) => {
      const port = USUAL_PORTS.get(kind);
      if (port === undefined) return [];
      return members.flatMap(({ name, addresses: [first], management: address = first, site, draining }) =>
        address === undefined ? [] : [{ name, kind, url: urlOf(address, port), site, draining }],
      );
    });
    return this.#pools;
  }

  #inRunDir(): readonly CoreNode[] {
    const { runDir } = this.#options;
    if (runDir === "") return [];
    const files = readRunFiles(runDir);
    const running = files.filter(({ alive }) => alive);
    for (const { pid, url } of running) this.#alive.add(`${pid} ${url}`);
    const died = files.filter(({ pid, url, alive }) => !alive && this.#alive.has(`${pid} ${url}`));
    return [...running, ...died].map(({ node, url }) => ({
      name: node,
      kind: kindOf(node),
      url,
      draining: false,
    }));
  }
}

/** In a run folder all members of a pool have one name. */
function withNamesOfTheirOwn(nodes: readonly CoreNode[]): CoreNode[] {
  const byName = new Map<string, CoreNode[]>();
  for (const node of nodes) byName.set(node.name, [...(byName.get(node.name) ?? []), node]);
  return [...byName.values()].flatMap((same) =>
    same.length === 1
      ? same
      : same
          .sort((a, b) => a.url.localeCompare(b.url, "en", { numeric: true }))
          .map((node, index) => ({ ...node, name: `${node.name}-${index + 1}` })),
  );
}

/** sprout-2 is a sprout. */
function kindOf(name: string): string {
  const [, kind = name] = /^([a-z]+)(?:[-.]|$)/i.exec(name) ?? [];
  return kind.toLowerCase();
}

function order({ kind }: CoreNode): number {
  const at = [...USUAL_PORTS.keys()].indexOf(kind);
  return at < 0 ? USUAL_PORTS.size : at;
}

function urlOf(address: string, port: number): string {
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
