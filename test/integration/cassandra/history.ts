import type { KvStore } from "@ims/store";
import { update } from "@ims/store";

/** One change of a list that several writers append to. */
interface Append {
  readonly id: string;
  readonly began: number;
  ended: number;
  /** unknown: the store said unavailable, so it may have happened, now or later. */
  outcome: "stored" | "unknown" | "not done";
}

interface Read {
  readonly began: number;
  readonly ended: number;
  readonly ids: readonly string[];
}

const TTL_SECONDS = 600;

/** Writers that append to one entry under contention, readers beside them, and what must be true of all they saw. */
export class AppendHistory {
  readonly appends: Append[] = [];
  readonly reads: Read[] = [];
  readonly latencies: number[] = [];

  async append(store: KvStore, key: string, id: string): Promise<Append> {
    const append: Append = { id, began: performance.now(), ended: 0, outcome: "not done" };
    this.appends.push(append);
    const result = await update(
      store,
      "history",
      key,
      (current) => ({
        kind: "put",
        value: Buffer.from([...idsOf(current), id].join(",")),
        ttlSeconds: TTL_SECONDS,
      }),
      { attempts: 200 },
    );
    append.ended = performance.now();
    append.outcome =
      result.kind === "stored" ? "stored" : result.kind === "contention" ? "not done" : "unknown";
    this.latencies.push(append.ended - append.began);
    return append;
  }

  /** Whether the store answered. */
  async read(store: KvStore, key: string): Promise<boolean> {
    const began = performance.now();
    const result = await store.get("history", key);
    if (result.kind === "unavailable") return false;
    const ids = idsOf(result.kind === "found" ? result.value : undefined);
    this.reads.push({ began, ended: performance.now(), ids });
    return true;
  }

  count(outcome: Append["outcome"]): number {
    return this.appends.filter((append) => append.outcome === outcome).length;
  }

  /** What is wrong, in words; empty when nothing is. The last read must have been made after everything else. */
  faults(): string[] {
    const last = this.reads.at(-1);
    if (last === undefined) return ["nothing was read"];
    const faults: string[] = [];
    const place = new Map<string, number>();
    for (const [index, id] of last.ids.entries()) {
      if (place.has(id)) faults.push(`${id} is there twice`);
      place.set(id, index);
    }
    const known = new Map(this.appends.map((append) => [append.id, append]));
    for (const id of place.keys()) if (!known.has(id)) faults.push(`${id} was never written`);
    for (const { id, outcome } of this.appends) {
      if (outcome === "stored" && !place.has(id)) faults.push(`${id} was stored and is lost`);
      if (outcome === "not done" && place.has(id)) faults.push(`${id} was refused and is there`);
    }
    // One list that only grows: every read is a beginning of the last one, later reads are no shorter, and a read that began
    // after a write was acknowledged holds it.
    const reads = [...this.reads].sort((a, b) => a.began - b.began);
    let longest = 0;
    let ended = Number.NEGATIVE_INFINITY;
    for (const read of reads) {
      if (read.ids.some((id, index) => last.ids[index] !== id))
        faults.push(`a read of ${read.ids.length} is no beginning of the last one`);
      for (const { id, outcome, ended: stored } of this.appends)
        if (outcome === "stored" && stored < read.began && (place.get(id) ?? 0) >= read.ids.length)
          faults.push(`a read ${Math.round(read.began - stored)} ms after ${id} was stored does not hold it`);
      if (read.began > ended && read.ids.length < longest) faults.push("a later read is shorter");
      if (read.ids.length >= longest) {
        longest = read.ids.length;
        ended = read.ended;
      }
    }
    return faults;
  }
}

function idsOf(value: Uint8Array | undefined): string[] {
  const text = value === undefined ? "" : Buffer.from(value).toString();
  return text === "" ? [] : text.split(",");
}

/** The value below which this part of the sample lies. */
export function quantile(sample: readonly number[], part: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
