import { styleText } from "node:util";
import type { ConfigProblem, SettingChange } from "@ims/etcd-cluster";
import type { Candidate } from "./candidate.ts";
import type { Differences, Found, Outcome } from "./target.ts";

/** How a command tells its result; colours only where a terminal wants them (NO_COLOR). */
export interface Teller {
  readonly json: boolean;
  /** Of what was given: for places of problems. */
  readonly file?: string;
  readonly lineOf?: Extract<Candidate, { kind: "text" }>["lineOf"];
}

type Told = Outcome | Differences | Exclude<Found, { readonly kind: "config" }>;

/** Prints what came of it; gives the exit code. */
export function tell(result: Told, teller: Teller): number {
  const code = result.kind === "applied" || result.kind === "unchanged" || result.kind === "changes" ? 0 : 1;
  if (teller.json) {
    console.log(JSON.stringify(asJson(result, teller), undefined, 2));
    return code;
  }
  switch (result.kind) {
    case "applied": {
      const { number, restart } = result.document;
      sayChanges(result.changes);
      console.log(`configuration ${number} is in force`);
      console.log(
        restart.length === 0
          ? "running nodes take it at once"
          : `it takes a restart of: ${restart.join(", ")}`,
      );
      return code;
    }
    case "unchanged":
      console.log(`configuration ${result.document.number} says the same already`);
      return code;
    case "changes":
      sayChanges(result.changes);
      return code;
    case "invalid":
      for (const line of problemLines(result.problems, teller)) console.error(line);
      console.error("tidewater: nothing was changed");
      return code;
    default:
      console.error(`tidewater: ${reasonOf(result)}`);
      return code;
  }
}

/** FILE:LINE: key: problem. */
export function problemLines(problems: readonly ConfigProblem[], { file = "", lineOf }: Teller): string[] {
  return problems.map(({ line, key, problem }) => {
    const at = key === "" ? line : (lineOf?.(key) ?? line);
    return `${file}${at > 0 ? `:${at}` : ""}: ${key === "" ? "" : `${key}: `}${problem}`;
  });
}

function reasonOf(result: Exclude<Told, { kind: "applied" | "unchanged" | "changes" | "invalid" }>): string {
  switch (result.kind) {
    case "contention":
      return `configuration ${result.number} is in force meanwhile: look at it (config show), then apply again`;
    case "busy":
      return `process ${result.pid || "of somebody else"} is changing it at this moment: try again`;
    case "foreign":
      return "etcd-cluster writes this file, and would overwrite it: name the etcd of the site with --etcd";
    case "none":
      return "there is none: nothing has been applied yet, or it is not kept any more (config history)";
    case "unreadable":
      return `${result.key} cannot be read: it is damaged, or of a later release`;
    case "unavailable": {
      const known = result.maybeDone ? "; whether it was done is not known, look with config show" : "";
      return `${result.cause.message}: etcd has no quorum, or is not reached${known}`;
    }
  }
}

function asJson(result: Told, teller: Teller): object {
  switch (result.kind) {
    case "applied": {
      const { number, restart } = result.document;
      return { result: "applied", number, restart, changes: result.changes };
    }
    case "unchanged":
      return { result: "unchanged", number: result.document.number };
    case "changes":
      return { result: "changes", changes: result.changes };
    case "invalid":
      return {
        result: "invalid",
        problems: result.problems.map(({ line, key, problem }) => ({
          line: key === "" ? line : (teller.lineOf?.(key) ?? line),
          key,
          problem,
        })),
      };
    default:
      return { result: result.kind, problem: reasonOf(result) };
  }
}

function sayChanges(changes: readonly SettingChange[]): void {
  const coloured = (colour: "red" | "green", text: string): string =>
    styleText(colour, text, { stream: process.stdout });
  for (const { key, before, after } of changes) {
    if (before !== undefined) console.log(coloured("red", `- ${key}=${before}`));
    if (after !== undefined) console.log(coloured("green", `+ ${key}=${after}`));
  }
}
