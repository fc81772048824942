import { LOG_LEVELS } from "@ims/runtime";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { WrongUseError } from "../wrong-use.ts";
import { askJson } from "./ask-node.ts";
import { type NodesGiven, nodesCommand, runningNodes } from "./running-nodes.ts";

interface Given extends NodesGiven {
  readonly for?: number;
}

const state = z.object({ level: z.string(), configured: z.string(), until: z.string().optional() });

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError("Write a number of seconds, 86400 at most.");
}

/** `tidewater log-level [level]`: of running nodes, without a restart. Exit code 1 when one did not do it. */
export function logLevelCommand(exit: (code: number) => void): Command {
  return nodesCommand("log-level", "show the log level of the running nodes, or change it")
    .addArgument(new Argument("[level]", "the new one").choices(LOG_LEVELS))
    .option("--for <seconds>", "then it is again what it was configured to be", seconds)
    .action(async (level: string | undefined, given: Given) => exit(await logLevel(level, given)));
}

async function logLevel(level: string | undefined, given: Given): Promise<number> {
  if (level === undefined && given.for !== undefined) throw new WrongUseError("--for goes with a level");
  const change = { level, ...(given.for === undefined ? {} : { seconds: given.for }) };
  const request = level === undefined ? {} : ({ method: "PUT", body: JSON.stringify(change) } as const);
  const shown: unknown[] = [];
  let well = true;
  for (const node of runningNodes(given)) {
    const answer = await askJson(node, "/log-level", request);
    const parsed = answer.kind === "json" ? state.safeParse(answer.json) : undefined;
    if (parsed?.success !== true) {
      well = false;
      const problem =
        answer.kind === "none" ? answer.problem : `${node.node} (${node.url}): no node of this release`;
      process.stderr.write(`tidewater: ${problem}\n`);
      continue;
    }
    const { level: now, configured, until } = parsed.data;
    const { token: _, ...about } = node;
    shown.push({ ...about, ...parsed.data });
    const back = until === undefined ? "" : ` until ${until}`;
    if (given.json !== true)
      console.log(
        `${node.node.padEnd(13)} ${new URL(node.url).host.padEnd(21)} ${now}${back}${now === configured ? "" : ` (configured: ${configured})`}`,
      );
  }
  if (given.json === true) console.log(JSON.stringify(shown, undefined, 2));
  return well ? 0 : 1;
}
