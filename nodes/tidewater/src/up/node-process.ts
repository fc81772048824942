import { ENGINE_FLAGS } from "@ims/runtime";
import { type NodeCommand, programOf } from "./nodes.ts";

/** A process that the supervisor keeps running. */
export interface NodeProcess {
  /** What it is called in messages. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The nodes in it, each of which says when it is ready. */
  readonly nodes: readonly NodeCommand["name"][];
}

/** What Node is started with for it: what this process was given itself comes last, and wins. */
export function nodeArguments({ program, args }: NodeProcess): string[] {
  return [...ENGINE_FLAGS, ...process.execArgv, program, ...args];
}

/** Nodes that may share a process: neither keeps what the other must not see. Secrets of subscribers stay in homestead. */
const TOGETHER: readonly NodeCommand["name"][] = ["sprout", "bono"];

/** A process for each node; with `oneProcess` one for bono and sprout, which then reach each other without sockets. */
export function nodeProcesses(commands: readonly NodeCommand[], oneProcess: boolean): NodeProcess[] {
  const alone = oneProcess ? commands.filter(({ name }) => !TOGETHER.includes(name)) : commands;
  const processes = alone.map(({ name, args, env }) => ({
    ...{ name, args, program: programOf(name), nodes: [name] },
    ...(env === undefined ? {} : { env }),
  }));
  if (!oneProcess) return processes;
  const together = commands.filter(({ name }) => TOGETHER.includes(name));
  return [
    ...processes,
    {
      name: together.map(({ name }) => name).join(" and "),
      program: programOf("all-in-one"),
      args: together.flatMap(({ name, args }, at) => [...(at === 0 ? [] : ["--"]), name, ...args]),
      env: Object.assign({}, ...together.map(({ env }) => env ?? {})),
      nodes: together.map(({ name }) => name),
    },
  ];
}
