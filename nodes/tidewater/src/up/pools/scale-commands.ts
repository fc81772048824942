import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { type WatchGiven, watch, withWatch } from "../../terminal/watch.ts";
import { askControl, type ControlRequest } from "./control.ts";
import { scaleCountsOf } from "./request.ts";

const report = z.object({
  nodes: z.array(
    z.object({
      name: z.string(),
      host: z.string(),
      pid: z.number(),
      state: z.string(),
      restarts: z.number(),
    }),
  ),
});

interface Given {
  readonly stateDir: string;
  readonly json?: boolean;
}

function poolSizes(text: string): string {
  const read = scaleCountsOf(text);
  if (read.kind === "counts") return text;
  throw new InvalidArgumentError(read.problem);
}

/** `tidewater scale|restart|status`: for a running `up --pools`. */
export function scaleCommands(exit: (code: number) => void): Command[] {
  const command = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .option("--state-dir <dir>", "that of the running tidewater up", ".tidewater")
      .option("--json", "print JSON");
  return [
    command("scale", "change the sizes of the pools of a running tidewater up --pools")
      .argument("<pools>", "for example sprout=4 or bono=3,memcached=3", poolSizes)
      .action((pools: string, given: Given) => ask({ command: "scale", pools }, given)),
    command(
      "restart",
      "restart nodes of a running tidewater up --pools one after the other, each drained before",
    )
      .argument("<names...>", "nodes, pools or stores (sprout-2, sprout, memcached-1), or all for all nodes")
      .action((names: string[], given: Given) => ask({ command: "restart", names }, given)),
    withWatch(command("status", "list the processes of a running tidewater up --pools"), 1).action(
      async (given: Given & WatchGiven) =>
        given.watch === true ? exit(await watchStatus(given)) : ask({ command: "status" }, given),
    ),
  ];
}

/** Until Ctrl-C; exit code 0 when all of them ran in the end. */
function watchStatus({ stateDir, every, json = false }: Given & WatchGiven): Promise<number> {
  return watch(
    async (signal) => {
      const answer = await askControl(resolve(stateDir), { command: "status" }, () => undefined, signal);
      const { nodes } = report.parse(answer);
      return {
        lines: nodes.map(lineOf),
        json: [{ nodes }],
        problems: [],
        exitCode: nodes.every(({ state }) => state === "ready") ? 0 : 1,
      };
    },
    { every, json, title: "tidewater status" },
  );
}

async function ask(request: ControlRequest, { stateDir, json }: Given): Promise<void> {
  const answer = await askControl(resolve(stateDir), request, (line) => {
    process.stderr.write(`${line}\n`);
  });
  if (json === true) return console.log(JSON.stringify(answer));
  for (const node of report.parse(answer).nodes) console.log(lineOf(node));
}

function lineOf({ name, host, pid, state, restarts }: z.output<typeof report>["nodes"][number]): string {
  return `${name.padEnd(13)} ${host.padEnd(15)} ${state}${pid === 0 ? "" : `, pid ${pid}`}${restarts === 0 ? "" : `, started again ${restarts} times`}`;
}
