import { join } from "node:path";

/** What `tidewater up` was asked for. */
export interface UpOptions {
  readonly host: string;
  readonly domain: string;
  readonly stateDir: string;
  readonly seedExamples: boolean;
  readonly logLevel: string;
  /** Options for one node, as "node.key=value". */
  readonly set: readonly string[];
}

export interface NodeCommand {
  readonly name: "homestead" | "sprout" | "bono";
  readonly args: readonly string[];
}

const here = import.meta.dirname;

/** Path of a node's program: nodes/<name>/bin/<name>.ts. */
export function programOf(name: string): string {
  return join(here, "../../../", name, "bin", `${name}.ts`);
}

/** The nodes in the order they start: a node's next hop is there before it. */
export function nodeCommands(options: UpOptions): NodeCommand[] {
  const { host, domain, stateDir } = options;
  const uriHost = host.includes(":") ? `[${host}]` : host;
  const common = [
    ...["--host", host, "--home-domain", domain, "--management-address", host],
    ...["--log-level", options.logLevel, "--quiesce-seconds", "3"],
  ];
  const commands: NodeCommand[] = [
    {
      name: "homestead",
      args: [
        ...common,
        "--state-dir",
        stateDir,
        ...(options.seedExamples ? ["--seed-examples", "true"] : []),
      ],
    },
    { name: "sprout", args: [...common, "--hss-peer", `${uriHost}:3868`] },
    { name: "bono", args: [...common, "--icscf-uri", `sip:${uriHost}:5052;transport=tcp`] },
  ];
  return commands.map((command) => ({
    ...command,
    args: [...command.args, ...extraArgs(command.name, options.set)],
  }));
}

function extraArgs(node: string, set: readonly string[]): string[] {
  return set.flatMap((one) => {
    const match = /^([a-z]+)\.([a-z0-9-]+)=(.*)$/.exec(one);
    if (match === null)
      throw new Error(`--set ${one}: write it as NODE.OPTION=VALUE, for example bono.log-level=debug`);
    return match[1] === node ? [`--${match[2]}`, match[3] ?? ""] : [];
  });
}
