import { arch, cpus, hostname, loadavg, release, totalmem } from "node:os";
import type { ShownOption } from "../config/shown-options.ts";
import type { Health } from "../health.ts";
import { json, type ManagementRoute } from "./route.ts";

export interface AboutOptions {
  readonly node: string;
  readonly version: string;
  /** Every option with its value, secrets replaced, and where it came from. */
  readonly options: () => Readonly<Record<string, ShownOption>>;
  /** Where the machine is, as it was told; "": that is not known. */
  readonly place: { readonly cell: string; readonly zone: string };
}

/** GET /about: versions, options, state of the process and its machine, for diagnostics. */
export function aboutRoute({ node, version, options, place }: AboutOptions, health: Health): ManagementRoute {
  return {
    path: "/about",
    methods: ["GET"],
    restricted: true,
    answer: () =>
      json(200, {
        node,
        version,
        time: new Date().toISOString(),
        process: {
          pid: process.pid,
          uptimeSeconds: Math.round(process.uptime()),
          node: process.version,
          versions: process.versions,
          resourceUsage: process.resourceUsage(),
          memory: process.memoryUsage(),
          activeResources: counted(process.getActiveResourcesInfo()),
        },
        machine: {
          hostname: hostname(),
          ...{ arch: arch(), kernel: release(), processors: cpus().length },
          ...{ memoryBytes: totalmem(), load: loadavg() },
        },
        place: Object.fromEntries(Object.entries(place).filter(([, value]) => value !== "")),
        health: { state: health.state, reasons: health.reasons(), notes: health.notes() },
        options: options(),
      }),
  };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
