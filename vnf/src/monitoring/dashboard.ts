/** Units as Grafana calls them. */
export type Unit = "short" | "s" | "percentunit" | "reqps" | "bytes" | "percent" | "dateTimeFromNow";

export interface Query {
  readonly expr: string;
  /** Of a line; `{{label}}` is the value of a label. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it means, where the title does not say it. */
  readonly about?: string;
  readonly unit: Unit;
  /** "number": the last value, large. "list": the labels of what there is now. Default: lines over time. */
  readonly kind?: "lines" | "number" | "list";
  /** Of 24 columns. Default: 8, a number 3. */
  readonly width?: number;
  readonly queries: readonly Query[];
  /** From here on it is shown in red; of a share that should be high: below. */
  readonly alarmed?: { readonly from: number } | { readonly below: number };
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  /** Part of its address in Grafana, and of its file name. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** Whose instances can be chosen: a regular expression of jobs. */
  readonly jobs: string;
  readonly rows: readonly Row[];
}

const DATASOURCE = { type: "prometheus", uid: "$datasource" } as const;
const COLUMNS = 24;
/** Of Grafana 9 and later; later ones bring it up to date when they load it. */
const SCHEMA_VERSION = 37;

/** A dashboard as Grafana imports or provisions it. */
export function grafanaDashboard({ id, title, about, jobs, rows }: Dashboard): object {
  return {
    uid: `tidewater-${id}`,
    title: `Tidewater: ${title}`,
    description: about,
    tags: ["tidewater"],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "",
    annotations: { list: [] },
    links: [
      {
        ...{ type: "dashboards", title: "Tidewater", tags: ["tidewater"], asDropdown: true },
        ...{ includeVars: true, keepTime: true },
      },
    ],
    templating: { list: variables(jobs) },
    panels: placed(rows),
  };
}

function variables(jobs: string): object[] {
  const choice = (name: string, label: string, query: string): object => ({
    ...{ name, label, type: "query", datasource: DATASOURCE, query: { query, refId: name } },
    ...{ definition: query, refresh: 2, sort: 7, multi: true, includeAll: true, allValue: ".*" },
    current: { selected: true, text: ["All"], value: ["$__all"] },
  });
  return [
    { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus", refresh: 1 },
    choice("domain", "Home domain", "label_values(process_start_time_seconds, domain)"),
    choice(
      "instance",
      "Node",
      `label_values(process_start_time_seconds{domain=~"$domain",job=~"${jobs}"}, instance)`,
    ),
  ];
}

/** Row by row, from left to right. */
function placed(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: own } of rows) {
    panels.push({
      ...{ id: panels.length + 1, type: "row", title, collapsed: false, panels: [] },
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y++;
    let x = 0;
    let height = 0;
    for (const panel of own) {
      const { w, h } = sizeOf(panel);
      if (x + w > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      panels.push(panelOf(panel, panels.length + 1, { x, y, w, h }));
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function sizeOf({ kind = "lines", width }: Panel): { w: number; h: number } {
  return kind === "number" ? { w: width ?? 3, h: 4 } : { w: width ?? 8, h: 8 };
}

function panelOf(panel: Panel, id: number, gridPos: object): object {
  const { title, about, unit, kind = "lines", queries } = panel;
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    ...(kind === "list" ? { instant: true, range: false, format: "table" } : { range: true }),
  }));
  return {
    ...{ id, type: TYPES[kind], title, datasource: DATASOURCE, gridPos, targets },
    ...(about === undefined ? {} : { description: about }),
    fieldConfig: {
      defaults: {
        ...{ unit, thresholds: thresholds(panel) },
        ...(unit === "percentunit" ? { min: 0, max: 1 } : kind === "lines" ? { min: 0 } : {}),
        ...(kind === "lines" ? { custom: { lineWidth: 1, fillOpacity: 8, showPoints: "never" } } : {}),
      },
      overrides: [],
    },
    options: OPTIONS[kind],
  };
}

const TYPES = { lines: "timeseries", number: "stat", list: "table" } as const;

const OPTIONS = {
  lines: {
    legend: { displayMode: "list", placement: "bottom", showLegend: true },
    tooltip: { mode: "multi", sort: "desc" },
  },
  number: {
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    ...{ colorMode: "value", graphMode: "area", textMode: "auto" },
  },
  list: { showHeader: true },
} as const;

function thresholds({ alarmed }: Panel): object {
  const steps =
    alarmed === undefined
      ? [{ color: "blue", value: null }]
      : "from" in alarmed
        ? [
            { color: "green", value: null },
            { color: "red", value: alarmed.from },
          ]
        : [
            { color: "red", value: null },
            { color: "green", value: alarmed.below },
          ];
  return { mode: "absolute", steps };
}
