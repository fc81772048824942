import { styleText } from "node:util";
import { printable } from "@ims/doctor";
import type { Command } from "commander";
import { z } from "zod";
import { type Look, type WatchGiven, watch, withWatch } from "../terminal/watch.ts";
import { askJson } from "./ask-node.ts";
import { type AskedNode, type NodesGiven, nodesCommand, runningNodes } from "./running-nodes.ts";

interface Given extends NodesGiven, WatchGiven {
  readonly cleared?: boolean;
  readonly resend?: boolean;
}

const record = z.object({
  alarmId: z.number(),
  problemId: z.string(),
  specificProblem: z.string(),
  objectInstance: z.string(),
  perceivedSeverity: z.string(),
  additionalText: z.string(),
  alarmRaisedTime: z.string(),
  alarmClearedTime: z.string().optional(),
  summary: z.string(),
  proposedRepairActions: z.string(),
});
type AlarmRecord = z.output<typeof record>;
const list = z.object({
  active: z.array(z.looseObject(record.shape)),
  cleared: z.array(z.looseObject(record.shape)),
});

type Listed = { readonly node: AskedNode } & (
  | { readonly active: readonly AlarmRecord[]; readonly cleared: readonly AlarmRecord[] }
  | { readonly problem: string }
);

const COLOURS = new Map<string, "red" | "yellow" | "cyan">([
  ["CRITICAL", "red"],
  ["MAJOR", "red"],
  ["MINOR", "yellow"],
  ["WARNING", "cyan"],
]);
const ORDER = ["CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE", "CLEARED"];

/** `tidewater alarms`: exit code 0 when all nodes answer and nothing is wrong with any, else 1. */
export function alarmsCommand(exit: (code: number) => void): Command {
  return withWatch(
    nodesCommand("alarms", "list what is wrong with the running nodes; exit code 1 when anything is"),
  )
    .option("--cleared", "list the last that are over, too")
    .option(
      "--resend",
      "have the nodes tell their logs, and whoever else listens, of all active alarms again",
    )
    .action(async (given: Given) => exit(await alarms(given)));
}

async function alarms(given: Given): Promise<number> {
  const nodes = runningNodes(given);
  if (given.resend === true)
    for (const node of nodes) {
      const told = await askJson(node, "/alarms/resend", { method: "POST" });
      if (told.kind === "none") process.stderr.write(`tidewater: ${told.problem}\n`);
    }
  if (given.watch === true) {
    const { every, json = false } = given;
    // Nodes come and go meanwhile.
    const look = (signal: AbortSignal): Promise<Look> => lookAt(runningNodes(given), given, signal);
    return watch(look, { every, json, title: "tidewater alarms" });
  }
  const { lines, json, problems, exitCode } = await lookAt(nodes, given);
  if (given.json === true) for (const value of json) console.log(JSON.stringify(value, undefined, 2));
  else {
    for (const problem of problems) process.stderr.write(`tidewater: ${problem}\n`);
    console.log(lines.join("\n"));
  }
  return exitCode;
}

async function lookAt(nodes: readonly AskedNode[], given: Given, signal?: AbortSignal): Promise<Look> {
  const listed = await Promise.all(nodes.map((node) => listOf(node, signal)));
  const well = listed.every((one) => "active" in one && one.active.length === 0);
  const shown = listed.map(({ node: { token: _, ...node }, ...rest }) => ({ ...node, ...rest }));
  return {
    lines: textOf(listed, given.cleared === true).split("\n"),
    json: [{ well, nodes: shown }],
    problems: listed.flatMap((one) => ("problem" in one ? [one.problem] : [])),
    exitCode: well ? 0 : 1,
  };
}

async function listOf(node: AskedNode, signal?: AbortSignal): Promise<Listed> {
  const answer = await askJson(node, "/alarms", signal === undefined ? {} : { signal });
  if (answer.kind === "none") return { node, problem: answer.problem };
  const parsed = list.safeParse(answer.json);
  if (parsed.success) return { node, active: parsed.data.active, cleared: parsed.data.cleared };
  return { node, problem: `${node.node} (${node.url}): what answers there is no node of this release` };
}

function textOf(listed: readonly Listed[], withCleared: boolean): string {
  const rows = listed
    .flatMap((one) => {
      if ("problem" in one) return [];
      const records = withCleared ? [...one.active, ...one.cleared] : one.active;
      return records.map((alarm) => ({ alarm, node: one.node }));
    })
    .sort(
      (a, b) =>
        ORDER.indexOf(a.alarm.perceivedSeverity) - ORDER.indexOf(b.alarm.perceivedSeverity) ||
        a.alarm.alarmRaisedTime.localeCompare(b.alarm.alarmRaisedTime),
    );
  const answered = listed.filter((one) => "active" in one).map(({ node }) => node.node);
  if (rows.length === 0)
    return answered.length === 0 ? "no node answers" : `no alarms: ${answered.join(", ")}`;
  return rows.map(({ alarm, node }) => linesOf(alarm, node)).join("\n");
}

function linesOf(alarm: AlarmRecord, { node, url }: AskedNode): string {
  const { perceivedSeverity, problemId, specificProblem, objectInstance, alarmClearedTime } = alarm;
  const until = alarmClearedTime === undefined ? "" : ` until ${alarmClearedTime}`;
  const about = objectInstance === "" ? "" : ` ${objectInstance}:`;
  const place = node === new URL(url).host ? node : `${node} ${new URL(url).host}`;
  const severity = styleText(
    COLOURS.get(perceivedSeverity) ?? "reset",
    printable(perceivedSeverity.padEnd(13)),
  );
  const head = `${severity} ${printable(`${alarm.alarmRaisedTime}${until}  ${place}  ${problemId} ${specificProblem}`)}`;
  const what = printable(`  ${alarm.summary}:${about} ${alarm.additionalText}`);
  if (alarmClearedTime !== undefined) return `${head}\n${what}`;
  return `${head}\n${what}\n  ${printable(alarm.proposedRepairActions)}`;
}
