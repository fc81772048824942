import { SHARED_CONFIG_PATH } from "@ims/runtime";
import { Command, InvalidArgumentError, Option } from "commander";
import { type NodesGiven, nodesCommand, runningNodes } from "../operate/running-nodes.ts";
import { WrongUseError } from "../wrong-use.ts";
import { type Candidate, readCandidate } from "./candidate.ts";
import { NODES, type NodeName, nodeSchemas, SITE_NODES } from "./node-schemas.ts";
import type { Target, TargetGiven } from "./target.ts";

type Exit = (code: number) => void;

interface Given extends Omit<TargetGiven, "file"> {
  readonly file?: string;
  readonly node?: NodeName;
  readonly json?: boolean;
}

interface ChangeGiven extends Given {
  readonly author: string;
  readonly comment?: string;
  readonly on?: number;
}

interface ShowGiven extends Omit<Given, "node">, NodesGiven {
  readonly changed?: boolean;
  readonly pending?: boolean;
}

/** `tidewater config`: the options of nodes, where they come from, and changes of the configuration that they share. */
export function configCommand(exit: Exit): Command {
  const config = new Command("config").description(
    "check, show, compare and change the configuration: of a site in etcd (--etcd), or of this machine in a file",
  );
  config.addCommand(checkCommand(exit)).addCommand(showCommand(exit)).addCommand(diffCommand(exit));
  config.addCommand(applyCommand(exit)).addCommand(historyCommand(exit)).addCommand(rollbackCommand(exit));
  return config;
}

function kept(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--etcd <urls>", "the etcd of the site: http://host:2379, separated by commas")
    .option("--etcd-ca <file>", "PEM file of the authority that vouches for it")
    .option("--etcd-certificate <file>", "PEM file of our certificate")
    .option("--etcd-key <file>", "PEM file of its key")
    .option("--root <prefix>", "where the site stands in etcd", "/tidewater")
    .option("--file <file>", `the file, without --etcd (default: ${SHARED_CONFIG_PATH})`)
    .addOption(new Option("--node <name>", "the file is the --config of this node").choices(NODES))
    .option("--json", "print JSON");
}

function changing(name: string, description: string): Command {
  const author = process.env["SUDO_USER"] || process.env["USER"] || "operator";
  return kept(name, description)
    .option("--author <name>", "who changes it", author)
    .option(
      "--on <number>",
      "refused when another configuration is in force: the one that was looked at",
      number,
    );
}

function checkCommand(exit: Exit): Command {
  return kept("check", "would the nodes take a file? Without one: what is in force")
    .argument("[file]", "key=value lines, .json or .yaml")
    .action(async (file: string | undefined, given: Given) => exit(await check(file, given)));
}

async function check(file: string | undefined, given: Given): Promise<number> {
  const { checkConfig } = await import("@ims/etcd-cluster");
  const { problemLines } = await import("./tell.ts");
  return withTarget(given, async (target, nodes) => {
    let candidate: Candidate;
    let name = file ?? target.name;
    if (file === undefined && target.kind === "etcd") {
      const found = await target.show();
      if (found.kind !== "config") return (await teller())(found, { json: given.json === true });
      name = `etcd configuration ${found.document.number}`;
      candidate = { kind: "text", text: found.document.text, lineOf: () => 0 };
    } else candidate = await readCandidate(file ?? target.name);
    const result =
      candidate.kind === "broken"
        ? {
            kind: "invalid" as const,
            problems: [{ line: candidate.line, key: "", problem: candidate.problem }],
          }
        : checkConfig(candidate.text, nodes);
    const lineOf = candidate.kind === "text" && file !== undefined ? { lineOf: candidate.lineOf } : {};
    const problems = result.kind === "invalid" ? result.problems : [];
    if (given.json === true) {
      const told = problems.map((one) => ({
        ...one,
        line: one.key === "" ? one.line : (lineOf.lineOf?.(one.key) ?? one.line),
      }));
      console.log(JSON.stringify({ file: name, valid: problems.length === 0, problems: told }, undefined, 2));
    } else if (problems.length > 0)
      for (const line of problemLines(problems, { json: false, file: name, ...lineOf })) console.error(line);
    else {
      const count = result.kind === "valid" ? result.settings.size : 0;
      console.log(`${name}: ${count} options, good for ${nodes.map(({ pool }) => pool).join(", ")}`);
    }
    return problems.length === 0 ? 0 : 1;
  });
}

function showCommand(exit: Exit): Command {
  return nodesCommand("show", "every option of the running nodes with its value and where it comes from")
    .option("--changed", "only what is not at its default")
    .option("--pending", "only what will be different with the next start")
    .option("--etcd <urls>", "what is in force in the etcd of the site instead")
    .option("--etcd-ca <file>", "PEM file of the authority that vouches for it")
    .option("--etcd-certificate <file>", "PEM file of our certificate")
    .option("--etcd-key <file>", "PEM file of its key")
    .option("--root <prefix>", "where the site stands in etcd", "/tidewater")
    .option("--file <file>", "what stands in this file instead; with --node: what that node would make of it")
    .action(async (given: ShowGiven) => exit(await show(given)));
}

async function show(given: ShowGiven): Promise<number> {
  const { showKept, showOf, showRunning } = await import("./show.ts");
  const { json = false, changed = false, pending = false, etcd, file, node = [] } = given;
  if (etcd === undefined && file === undefined)
    return showRunning(runningNodes(given), { json, changed, pending });
  if (etcd !== undefined && file !== undefined)
    throw new WrongUseError("--etcd and --file are two places: name one");
  if (etcd !== undefined && node.length > 0)
    throw new WrongUseError("--node goes with --file, or with running nodes");
  const [name, more] = node;
  if (more !== undefined) throw new WrongUseError("--file is of one node");
  const known = NODES.find((one) => one === name);
  if (name !== undefined && known === undefined)
    throw new WrongUseError(`--node is one of ${NODES.join(", ")}`);
  if (file !== undefined && known !== undefined) {
    const [reader] = await nodeSchemas([known]);
    return reader === undefined ? 1 : showOf(reader, file, { json, changed });
  }
  const { node: _, ...rest } = given;
  return withTarget(rest, async (target, nodes) =>
    showKept(await target.show(), nodes, { name: target.name, json }),
  );
}

function diffCommand(exit: Exit): Command {
  return kept("diff", "what apply would change")
    .argument("<file>", "key=value lines, .json or .yaml")
    .action(async (file: string, given: Given) =>
      exit(await withCandidate(file, given, (target, text) => target.diff(text))),
    );
}

function applyCommand(exit: Exit): Command {
  return changing("apply", "put a file in force: checked, whole or not at all")
    .argument("<file>", "key=value lines, .json or .yaml")
    .option("--comment <text>", "why, for the history", "")
    .action(async (file: string, given: ChangeGiven) => {
      const { author, comment = "", on } = given;
      const more = on === undefined ? {} : { on };
      exit(
        await withCandidate(file, given, (target, text) => target.apply({ text, author, comment, ...more })),
      );
    });
}

function historyCommand(exit: Exit): Command {
  return kept("history", "who changed it when, the newest first").action(async (given: Given) =>
    exit(
      await withTarget(given, async (target) => {
        const found = await target.history();
        if (found.kind === "unavailable") return (await teller())(found, { json: given.json === true });
        const states = found.documents.map(({ number: of, at, author, comment, restart }) => ({
          ...{ number: of, at: new Date(at).toISOString(), author, comment, restart },
        }));
        if (given.json === true) console.log(JSON.stringify(states, undefined, 2));
        else if (states.length === 0) console.log("nothing has been applied yet");
        else
          for (const { number: of, at, author, comment } of states)
            console.log([of, at, author, comment].filter((part) => part !== "").join("  "));
        return 0;
      }),
    ),
  );
}

function rollbackCommand(exit: Exit): Command {
  return changing("rollback", "put an earlier configuration in force again, as a new one")
    .argument("<number>", "as history shows it", number)
    .action(async (to: number, given: ChangeGiven) => {
      const { author, on } = given;
      exit(
        await withTarget(given, async (target) =>
          (await teller())(await target.rollback({ to, author, ...(on === undefined ? {} : { on }) }), {
            json: given.json === true,
            file: `configuration ${to}`,
          }),
        ),
      );
    });
}

type Told = Parameters<Awaited<ReturnType<typeof teller>>>[0];

async function withCandidate(
  file: string,
  given: Given,
  work: (target: Target, text: string) => Promise<Told>,
): Promise<number> {
  const tell = await teller();
  const json = given.json === true;
  return withTarget(given, async (target) => {
    const candidate = await readCandidate(file);
    if (candidate.kind === "broken") {
      const { line, problem } = candidate;
      return tell({ kind: "invalid", problems: [{ line, key: "", problem }] }, { json, file });
    }
    return tell(await work(target, candidate.text), { json, file, lineOf: candidate.lineOf });
  });
}

async function withTarget(
  given: Given,
  work: (target: Target, nodes: Awaited<ReturnType<typeof nodeSchemas>>) => Promise<number>,
): Promise<number> {
  const { node, etcd, file = SHARED_CONFIG_PATH } = given;
  if (etcd !== undefined && given.file !== undefined)
    throw new WrongUseError("--etcd and --file are two places: name one");
  if (etcd !== undefined && node !== undefined)
    throw new WrongUseError("--node goes with --file: etcd has what nodes share");
  const names = node === undefined ? (etcd === undefined ? NODES : SITE_NODES) : [node];
  const nodes = await nodeSchemas(names);
  const { openTarget } = await import("./target.ts");
  const target = openTarget({ ...given, file }, nodes);
  try {
    return await work(target, nodes);
  } finally {
    target.close();
  }
}

async function teller(): Promise<typeof import("./tell.ts").tell> {
  return (await import("./tell.ts")).tell;
}

function number(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is no number.");
}
