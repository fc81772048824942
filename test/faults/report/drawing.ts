import { quantile } from "./figures.ts";
import { PUBLISHED, type Published } from "./published.ts";

/** One line of the drawing: what the UEs felt, one value for each fault (or each UE), ms. */
export interface Strip {
  readonly title: string;
  readonly values: readonly number[];
  readonly published: Published;
}

const WIDTH = 860;
const LEFT = 288;
const RIGHT = 40;
const TOP = 96;
const ROW = 74;
const TICKS = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000] as const;
const LEAST = 1;
const MOST = 30_000;

/** Recovery times on a logarithmic scale beside the published ones: a SVG that can be read on light and dark ground. */
export function drawing(strips: readonly Strip[], subtitle: string): string {
  const height = TOP + strips.length * ROW + 64;
  const bottom = TOP + strips.length * ROW;
  const grid = TICKS.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP - 12}" y2="${bottom}"/>` +
      `<text class="tick" x="${x(tick)}" y="${bottom + 18}">${label(tick)}</text>`,
  );
  const restart = PUBLISHED.restart;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Recovery times">
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="10"/>
<text class="title" x="24" y="36">What the user equipment feels when a node is killed</text>
<text class="note" x="24" y="57">${escaped(subtitle)}</text>
${grid.join("\n")}
<line class="restart" x1="${x(restart.least)}" x2="${x(restart.least)}" y1="${TOP - 12}" y2="${bottom}"/>
<text class="restart-note" x="${x(restart.least) - 6}" y="${TOP - 16}">VM restarted: 18 s</text>
${strips.map((strip, at) => row(strip, TOP + at * ROW)).join("\n")}
<circle class="dot" cx="30" cy="${height - 20}" r="4"/><text class="key" x="42" y="${height - 16}">one kill, or one UE</text>
<rect class="median" x="178" y="${height - 28}" width="3" height="16" rx="1.5"/><text class="key" x="188" y="${height - 16}">median</text>
<rect class="published" x="254" y="${height - 26}" width="26" height="12" rx="3"/><text class="key" x="288" y="${height - 16}">published, with a redundant twin</text>
</svg>
`;
}

function row({ title, values, published }: Strip, top: number): string {
  const middle = top + ROW / 2;
  const from = x(published.least);
  const width = Math.max(3, x(published.most) - from);
  const dots = values.map((value, index) => {
    // Spread by place in the list, so that equal values can be told apart and the drawing does not change by itself.
    const shift = (((index * 7) % 11) - 5) * 2.2;
    return `<circle class="dot" cx="${x(value)}" cy="${round(middle + shift)}" r="3.6"/>`;
  });
  const median = quantile(values, 0.5);
  const worst = Math.max(0, ...values);
  const told =
    values.length === 0
      ? "not measured"
      : `${values.length} values, median ${amount(median)}, worst ${amount(worst)}`;
  return `<g>
<text class="row" x="24" y="${middle - 3}">${escaped(title)}</text>
<text class="note" x="24" y="${middle + 15}">${told}</text>
<line class="base" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${middle}" y2="${middle}"/>
<rect class="published" x="${from}" y="${middle - 17}" width="${round(width)}" height="34" rx="4"/>
${dots.join("")}
${values.length === 0 ? "" : `<rect class="median" x="${round(x(median) - 1.5)}" y="${middle - 20}" width="3" height="40" rx="1.5"/>`}
</g>`;
}

const STYLE = `
.ground{fill:#fdfdfc}.title{font:600 18px system-ui,sans-serif;fill:#1d2733}.row{font:500 13.5px system-ui,sans-serif;fill:#1d2733}
.note,.key{font:12px system-ui,sans-serif;fill:#66727f}.tick{font:11px system-ui,sans-serif;fill:#66727f;text-anchor:middle}
.grid{stroke:#e6e9ec;stroke-width:1}.base{stroke:#d4d9de;stroke-width:1}.dot{fill:#0b7f8c;fill-opacity:.55}
.median{fill:#07545d}.published{fill:#e0912f;fill-opacity:.38}.restart{stroke:#c8553d;stroke-width:1.5;stroke-dasharray:4 4}
.restart-note{font:11px system-ui,sans-serif;fill:#c8553d;text-anchor:end}
@media(prefers-color-scheme:dark){.ground{fill:#12181f}.title,.row{fill:#e8edf2}.note,.key,.tick{fill:#93a0ad}
.grid{stroke:#232c36}.base{stroke:#36424f}.dot{fill:#4fd0dc}.median{fill:#c9f4f8}.published{fill:#e7a24a}
.restart{stroke:#f0836b}.restart-note{fill:#f0836b}}`;

function x(value: number): number {
  const share = Math.log10(Math.min(MOST, Math.max(LEAST, value)) / LEAST) / Math.log10(MOST / LEAST);
  return round(LEFT + share * (WIDTH - LEFT - RIGHT));
}

function label(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

function amount(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
