import type { AllocationNode, AllocationProfile, CallFrame, CpuProfile } from "./profiles.ts";

/** A function where it was called from, with what was spent in itself. */
export interface Frame<Value> {
  readonly functionName: string;
  /** From the project's root on (`nodes/...`, `node_modules/...`), a module of Node (`node:...`), or empty: the engine and what is native. */
  readonly file: string;
  readonly self: Value;
  readonly children: readonly Frame<Value>[];
}

/** Allocations, and their bytes. */
export interface Allocated {
  readonly objects: number;
  readonly bytes: number;
}

/** Microseconds of the clock that an own thread spent where, between two moments of the monotonic clock (microseconds). */
export function framesOfCpu(profile: CpuProfile, from: number, to: number): Frame<number> {
  const micros = new Map<number, number>();
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    at += profile.timeDeltas[index] ?? 0;
    // What a sample found lasted until the next one.
    const lasted = profile.timeDeltas[index + 1] ?? 0;
    if (at >= from && at < to) micros.set(id, (micros.get(id) ?? 0) + lasted);
  }
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const frameOf = (id: number): Frame<number> => {
    const node = byId.get(id);
    if (node === undefined) throw new Error(`the profile has no node ${id}`);
    return {
      ...named(node.callFrame),
      self: Math.max(0, micros.get(id) ?? 0),
      children: (node.children ?? []).map(frameOf),
    };
  };
  return frameOf(profile.nodes[0]?.id ?? 0);
}

export function framesOfAllocations(profile: AllocationProfile): Frame<Allocated> {
  const spent = new Map<number, { objects: number; bytes: number }>();
  for (const { nodeId, size } of profile.samples) {
    const here = spent.get(nodeId);
    if (here === undefined) spent.set(nodeId, { objects: 1, bytes: size });
    else {
      here.objects += 1;
      here.bytes += size;
    }
  }
  const frameOf = ({ id, callFrame, children }: AllocationNode): Frame<Allocated> => ({
    ...named(callFrame),
    self: spent.get(id) ?? { objects: 0, bytes: 0 },
    children: children.map(frameOf),
  });
  return frameOf(profile.head);
}

function named({ functionName, url }: CallFrame): Pick<Frame<never>, "functionName" | "file"> {
  return { functionName: functionName === "" ? "(anonymous)" : functionName, file: fileOf(url) };
}

function fileOf(url: string): string {
  if (url.startsWith("node:")) return url;
  const own = Math.max(url.lastIndexOf("/nodes/"), url.lastIndexOf("/node_modules/"));
  return own < 0 ? "" : url.slice(own + 1);
}
