import { accountOf } from "./attribute.ts";
import type { Frame } from "./frames.ts";
import { total } from "./reckon.ts";
import { STEP_NAMES, type Step } from "./steps.ts";

export interface FlameGraph {
  readonly title: string;
  readonly subtitle: string;
  /** Of each process: where its main thread spent its microseconds, and what is not in its functions. */
  readonly parts: readonly {
    readonly name: string;
    readonly frames: Frame<number>;
    readonly beside: readonly { readonly step: Step; readonly micros: number }[];
  }[];
}

const WIDTH = 1200;
const SIDE = 10;
const ROW = 16;
const TOP = 70;
const MOST_BYTES = 190_000;
/** Narrower frames are left out, and more of them while the drawing is larger than it may be: shares of the whole. */
const LEAST_SHARE = 0.0008;
const PER_CHARACTER = 6.1;

interface Box {
  readonly x: number;
  readonly width: number;
  readonly depth: number;
  readonly label: string;
  readonly told: string;
  readonly step: Step | undefined;
}

/**
 * A flame graph with its root at the top: width is time, below a function are those it calls, in the order of their names. The same figures
 * give the same drawing. It can be read on light and dark ground, takes no script, and is smaller than 200 kB.
 */
export function flameGraph(graph: FlameGraph): string {
  for (let least = LEAST_SHARE; ; least *= 1.25) {
    const drawn = draw(graph, least);
    if (drawn.length < MOST_BYTES || least > 0.1) return drawn;
  }
}

function draw({ title, subtitle, parts }: FlameGraph, leastShare: number): string {
  const width = WIDTH - 2 * SIDE;
  const sums = parts.map(
    ({ frames, beside }) => total(frames) + beside.reduce((sum, { micros }) => sum + micros, 0),
  );
  const all = sums.reduce((sum, one) => sum + one, 0);
  const perMicro = width / all;
  const boxes: Box[] = [];
  const box = (at: number, micros: number, depth: number, label: string, step: Step | undefined): void => {
    const told = `${label}: ${micros.toFixed(1)} us, ${((micros / all) * 100).toFixed(1)} %`;
    boxes.push({ x: at, width: micros * perMicro, depth, label, told, step });
  };
  const walk = (frame: Frame<number>, at: number, depth: number, inherited: Step | undefined): void => {
    let x = at;
    for (const child of frame.children) {
      const micros = total(child);
      if (micros / all < leastShare) continue;
      const account = accountOf(child, inherited ?? "engine");
      const step = account === "asleep" ? inherited : account;
      box(x, micros, depth, labelOf(child), step);
      walk(child, x, depth + 1, step);
      x += micros * perMicro;
    }
  };
  let x = SIDE;
  for (const [index, { name, frames, beside }] of parts.entries()) {
    const micros = sums[index] ?? 0;
    box(x, micros, 0, name, undefined);
    walk(frames, x, 1, undefined);
    let right = x + total(frames) * perMicro;
    for (const one of beside) {
      if (one.micros / all >= leastShare) box(right, one.micros, 1, `(${one.step})`, one.step);
      right += one.micros * perMicro;
    }
    x += micros * perMicro;
  }
  const depth = boxes.reduce((most, one) => Math.max(most, one.depth), 0);
  const bottom = TOP + (depth + 1) * ROW + 14;
  const legend = legendOf(boxes, bottom);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${legend.bottom}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${legend.bottom}" rx="10"/>
<text class="title" x="${SIDE + 4}" y="30">${escaped(title)}</text>
<text class="note" x="${SIDE + 4}" y="50">${escaped(subtitle)}</text>
${boxes.map(rectangle).join("\n")}
${legend.text}
</svg>
`;
}

function labelOf({ functionName, file }: Frame<number>): string {
  if (file === "") return functionName;
  const short = file.startsWith("node:") ? file : (file.split("/").at(-1) ?? "").replace(/\.ts$/, "");
  return `${functionName} ${short}`;
}

function rectangle({ x, width, depth, label, told, step }: Box): string {
  const y = TOP + depth * ROW;
  const room = Math.floor((width - 4) / PER_CHARACTER);
  const text = label.length <= room ? label : `${label.slice(0, Math.max(0, room - 1))}…`;
  const shape = `<rect class="${step === undefined ? "part" : `s${STEP_NAMES.indexOf(step)}`}" x="${round(x)}" y="${y}" width="${round(Math.max(0.3, width - 0.3))}" height="15"/>`;
  const words = room < 3 ? "" : `<text x="${round(x + 2)}" y="${y + 11}">${escaped(text)}</text>`;
  return `<g><title>${escaped(told)}</title>${shape}${words}</g>`;
}

function legendOf(boxes: readonly Box[], top: number): { readonly text: string; readonly bottom: number } {
  const used = STEP_NAMES.filter((step) => boxes.some((one) => one.step === step));
  const perRow = 11;
  const cell = (WIDTH - 2 * SIDE) / perRow;
  const keys = used.map((step, index) => {
    const x = SIDE + 4 + (index % perRow) * cell;
    const y = top + Math.floor(index / perRow) * 20;
    return `<rect class="s${STEP_NAMES.indexOf(step)}" x="${round(x)}" y="${y}" width="12" height="12"/><text class="key" x="${round(x + 17)}" y="${y + 10}">${step}</text>`;
  });
  return { text: keys.join("\n"), bottom: top + Math.ceil(used.length / perRow) * 20 + 10 };
}

/** Neighbouring steps are far apart on the circle of colours; black text can be read on each. */
const COLOURS = STEP_NAMES.map(
  (_, index) =>
    `.s${index}{fill:hsl(${(index * 137) % 360} ${index % 2 === 0 ? 62 : 48}% ${index % 3 === 0 ? 74 : 66}%)}`,
).join("");

const STYLE = `
text{font:10.5px ui-monospace,monospace;fill:#14191f}.ground{fill:#fdfdfc}.title{font:600 17px system-ui,sans-serif;fill:#1d2733}
.note,.key{font:12px system-ui,sans-serif;fill:#56616d}.part{fill:#cfd6dd}
${COLOURS}
@media(prefers-color-scheme:dark){.ground{fill:#12181f}.title{fill:#e8edf2}.note,.key{fill:#a6b2be}}`;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
