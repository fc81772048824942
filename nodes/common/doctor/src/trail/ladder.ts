import { atOnce, type Work } from "@ims/runtime";
import type { NodeStep } from "./ask-node.ts";
import { type Exchange, startOf, summaryOf } from "./exchange.ts";
import { arriving, PIECE } from "./order.ts";

/** A message between two, or something that happened at one. */
export type Rung =
  | {
      readonly kind: "message";
      readonly time: number;
      readonly from: string;
      readonly to: string;
      readonly step: NodeStep;
      /** From sender to receiver, ms; undefined where only one of them keeps a trail. */
      readonly took: number | undefined;
    }
  | { readonly kind: "note"; readonly time: number; readonly at: string; readonly step: NodeStep };

const ORDER = ["bono", "sprout", "homestead", "ralf"];
const COLUMN = 24;
const TIME = 13;

/** What left one node and came to another is one rung, in its sender's place. */
export function rungsOf(exchange: Exchange): Rung[] {
  return atOnce(climbing(exchange));
}

/** `rungsOf`, in pieces. */
export function* climbing({ steps }: Exchange): Work<Rung[]> {
  const arrivals = yield* arriving(steps);
  const arrived = new Set(arrivals.values());
  const rungs: Rung[] = [];
  for (const [index, step] of steps.entries()) {
    if (index % PIECE === 0) yield;
    const { node, time, direction, ends } = step;
    if (direction === "" || ends === undefined) rungs.push({ kind: "note", time, at: node, step });
    else if (direction === "out") {
      const arrival = arrivals.get(step);
      const took = arrival && arrival.time - time;
      rungs.push({ kind: "message", time, from: node, to: arrival?.node ?? ends.remote, step, took });
    } else if (!arrived.has(step))
      rungs.push({ kind: "message", time, from: ends.remote, to: node, step, took: undefined });
  }
  return rungs;
}

export interface LadderOptions {
  /** With the messages themselves. */
  readonly text: boolean;
  /** Rungs; of more than these the middle is left out. */
  readonly most?: number;
}

/** The ladder of one exchange, for a terminal of any kind. */
export function ladder(exchange: Exchange, { text, most = Number.POSITIVE_INFINITY }: LadderOptions): string {
  const rungs = rungsOf(exchange);
  const hidden = Math.max(0, rungs.length - most);
  const cut = Math.ceil((rungs.length - hidden) / 2);
  const names = participantsOf(rungs);
  const { method, from, to, outcome } = summaryOf(exchange);
  const start = startOf(exchange);
  const parties = from === to || to === "" ? from : `${from} to ${to}`;
  const lines = [
    printable(`${method} ${parties}: ${outcome}`),
    printable(
      `${new Date(start).toISOString()}  Call-ID ${exchange.callIds.join(", ")}${exchange.icids.length === 0 ? "" : `  ICID ${exchange.icids.join(", ")}`}`,
    ),
    "",
    `${"s".padStart(TIME - 2)}  ${names.map((name) => centred(printable(name), COLUMN)).join("")}`.trimEnd(),
  ];
  for (const [index, rung] of rungs.entries()) {
    if (hidden > 0 && index === cut) lines.push(`${" ".repeat(TIME)}... ${hidden} more`);
    if (index >= cut && index < cut + hidden) continue;
    const time = `${((rung.time - start) / 1000).toFixed(6).padStart(TIME - 2)}  `;
    if (rung.kind === "note") {
      const { kind, title } = rung.step;
      lines.push(`${time}* ${printable(`${rung.at}${kind === "decision" ? "" : `, ${kind}`}: ${title}`)}`);
      continue;
    }
    const took = rung.took === undefined ? "" : `  ${rung.took.toFixed(2)} ms`;
    const arrow = arrowBetween(names, rung.from, rung.to, printable(labelOf(rung.step)));
    lines.push(`${time}${arrow}${took}`.trimEnd());
    if (text && rung.step.text !== undefined)
      for (const line of rung.step.text.trimEnd().split(/\r?\n/))
        lines.push(`${" ".repeat(TIME)}    ${printable(line)}`);
  }
  return lines.join("\n");
}

/** Those outside first, then the nodes as messages pass them, those behind last. */
export function participantsOf(rungs: readonly Rung[]): readonly string[] {
  const seen = new Map<string, number>();
  const nodes = new Set(rungs.flatMap((rung) => (rung.kind === "note" ? [rung.at] : [rung.step.node])));
  const note = (name: string, step: NodeStep): void => {
    if (seen.has(name)) return;
    const kind = ORDER.indexOf(name.replace(/-[0-9]+$/, ""));
    // A stranger at the access side stands before all nodes, another one behind the node that knows it.
    const beside = ORDER.indexOf(step.node.replace(/-[0-9]+$/, ""));
    const outside = step.ends?.side === "access" || step.ends?.side === "peer";
    seen.set(name, nodes.has(name) ? kind * 10 : outside ? -1 : beside * 10 + 5);
  };
  for (const rung of rungs) {
    if (rung.kind === "note") note(rung.at, rung.step);
    else {
      note(rung.from, rung.step);
      note(rung.to, rung.step);
    }
  }
  return [...seen]
    .map(([name, rank], index) => ({ name, rank, index }))
    .sort(
      (a, b) => a.rank - b.rank || a.name.localeCompare(b.name, "en", { numeric: true }) || a.index - b.index,
    )
    .map(({ name }) => name);
}

/** In a few words, over its arrow. */
export function labelOf({ kind, title, request, method }: NodeStep): string {
  if (kind !== "sip") return title;
  return request === true ? (method ?? title) : title.replace(/ \([^)]*\)$/, "");
}

function lifelines(names: readonly string[]): string {
  return names.map(() => centred("|", COLUMN)).join("");
}

function arrowBetween(names: readonly string[], from: string, to: string, label: string): string {
  const a = centreOf(names.indexOf(from));
  const b = centreOf(names.indexOf(to));
  const cells = [...lifelines(names)];
  const left = Math.min(a, b);
  const right = Math.max(a, b);
  if (left === right) return `${cells.join("").trimEnd()} ${label}`;
  for (let at = left + 1; at < right; at++) cells[at] = "-";
  if (a < b) cells[right - 1] = ">";
  else cells[left + 1] = "<";
  const room = right - left - 7;
  const shown = ` ${label.length > room ? `${label.slice(0, Math.max(1, room - 1))}…` : label} `;
  const at = left + Math.max(3, Math.floor((right - left - shown.length) / 2));
  for (let index = 0; index < shown.length; index++) cells[at + index] = shown[index] ?? "";
  return cells.join("").trimEnd();
}

function centreOf(index: number): number {
  return index * COLUMN + (COLUMN >> 1);
}

/** The character in the middle stands at COLUMN / 2. */
function centred(text: string, width: number): string {
  const short = text.length >= width ? `${text.slice(0, width - 2)}…` : text;
  const before = (width >> 1) - (short.length >> 1);
  return `${" ".repeat(Math.max(0, before))}${short}`.padEnd(width);
}

/** What comes from outside must not talk to the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "·");
}
