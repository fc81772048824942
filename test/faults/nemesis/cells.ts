import { STAGES, type Stage } from "../load/world.ts";

export const FAULTS = ["kill", "pause", "freeze", "partition", "restart"] as const;
/** kill -9; SIGSTOP for a second; SIGSTOP until long detected; cut off from the other pools; SIGTERM and start. */
export type FaultKind = (typeof FAULTS)[number];

export const TARGETS = [
  "bono",
  "sprout",
  "homestead",
  "memcached",
  "memcached-all",
  "cassandra",
  "cassandra-all",
  "etcd",
] as const;
export type Target = (typeof TARGETS)[number];

export const PHASES = ["idle", ...STAGES] as const;
/** "any": whatever goes on at a random moment; of long runs, not of the matrix. */
export type Phase = "idle" | Stage | "any";

/** One field of the matrix. */
export interface Cell {
  readonly fault: FaultKind;
  readonly target: Target;
  readonly phase: Phase;
}

export function nameOf({ fault, target, phase }: Cell): string {
  return `${fault}/${target}/${phase}`;
}

/** The whole matrix. */
export function allCells(): Cell[] {
  return TARGETS.flatMap((target) =>
    FAULTS.flatMap((fault) => PHASES.map((phase) => ({ fault, target, phase }))),
  );
}

/** Cells whose name fits: parts between slashes, `*` for any text, parts left out for anything; several with commas. */
export function cellsFor(pattern: string): Cell[] {
  const wanted = pattern.split(",").map((one) => one.trim().split("/"));
  return allCells().filter((cell) => {
    const parts = nameOf(cell).split("/");
    return wanted.some((words) =>
      words.length === 1
        ? parts.some((part) => fits(part, words[0] ?? ""))
        : words.every((word, index) => fits(parts[index] ?? "", word)),
    );
  });
}

function fits(part: string, word: string): boolean {
  const escaped = word.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return word === "" || new RegExp(`^${escaped}$`).test(part);
}

/** Why a cell means nothing in a core of these pools; undefined: it does. */
export function notApplicable(
  { fault, target }: Cell,
  sizes: ReadonlyMap<string, number>,
  noNamespaces: string | undefined,
): string | undefined {
  if (target === "etcd") return "nodes never talk to etcd";
  const pool = target.replace(/-all$/, "");
  const size = sizes.get(pool) ?? 0;
  if (size === 0) return `this core has no ${pool}`;
  if (size === 1 && !target.endsWith("-all"))
    return `one ${pool} is all of them: see the others, or run more of them`;
  if (fault === "partition" && noNamespaces !== undefined)
    return `network namespaces cannot be had: ${noNamespaces}`;
  return undefined;
}
