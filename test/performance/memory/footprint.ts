import { readdirSync, statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import type { MemcachedProcess } from "../../support/memcached.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { inspect } from "../inspected.ts";
import { memoryOf } from "../proc.ts";

/** Bytes by what holds them, after a full collection of garbage. */
export interface Footprint {
  /** By process of the core. */
  readonly resident: Readonly<Record<string, number>>;
  /** What lives in V8's heap, and outside of it on behalf of objects there. */
  readonly live: Readonly<Record<string, number>>;
  /** Of all memcacheds: items with their overhead, and resident. */
  readonly memcached?: { readonly items: number; readonly bytes: number; readonly resident: number };
  /** Of database files by name, without their write-ahead logs. */
  readonly files: Readonly<Record<string, number>>;
}

export async function footprintOf(
  parts: ReadonlyMap<string, number>,
  { stateDir, memcacheds }: { readonly stateDir: string; readonly memcacheds: readonly MemcachedProcess[] },
): Promise<Footprint> {
  await collectGarbage(parts.values());
  const resident: Record<string, number> = {};
  const live: Record<string, number> = {};
  for (const [part, pid] of parts) resident[part] = memoryOf(pid).rssKb * 1024;
  for (const [part, pid] of parts) live[part] = await liveBytes(pid);
  const files = Object.fromEntries(
    readdirSync(stateDir)
      .filter((name) => name.endsWith(".db"))
      .map((name) => [name, statSync(join(stateDir, name)).size]),
  );
  if (memcacheds.length === 0) return { resident, live, files };
  const counted = await Promise.all(memcacheds.map(itemsOf));
  return {
    ...{ resident, live, files },
    memcached: {
      items: counted.reduce((sum, { items }) => sum + items, 0),
      bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0),
      resident: memcacheds.reduce((sum, memcached) => sum + memoryOf(memcached.pid()).rssKb * 1024, 0),
    },
  };
}

async function liveBytes(pid: number): Promise<number> {
  return inspect(pid, async ({ evaluate }) => {
    const { heapUsed, external } = (await evaluate("process.memoryUsage()")) as NodeJS.MemoryUsage;
    return heapUsed + external;
  });
}

function itemsOf({ host, port }: MemcachedProcess): Promise<{ items: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect({ host, port }, () => void socket.write("stats\r\n"));
    socket.once("error", reject);
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (!text.endsWith("END\r\n")) return;
      socket.destroy();
      const stat = (name: string): number => Number(new RegExp(`^STAT ${name} (\\d+)`, "m").exec(text)?.[1]);
      resolve({ items: stat("curr_items"), bytes: stat("bytes") });
    });
  });
}
