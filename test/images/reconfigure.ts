import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bonoOptions } from "@ims/bono";
import { configAdmin } from "@ims/etcd-cluster";
import { homesteadOptions } from "@ims/homestead";
import { sproutOptions } from "@ims/sprout";
import { etcdEntries, until } from "./host-side.ts";

const NODES = [
  { pool: "bono", schema: bonoOptions },
  { pool: "sprout", schema: sproutOptions },
  { pool: "homestead", schema: homesteadOptions },
];

/** A new configuration of the site: sprout and homestead restart when it is their turn, bono when the core has told it. @throws Error */
export async function reconfigure({
  folder,
  seed,
  bono,
  note,
}: {
  readonly folder: string;
  readonly seed: string;
  /** Its address on Mw. */
  readonly bono: string;
  readonly note: (what: string, value: string) => void;
}): Promise<void> {
  const numberOfBono = async (): Promise<number> => {
    const response = await fetch(`http://${bono}:9111/edge`, { signal: AbortSignal.timeout(5000) });
    return ((await response.json()) as { number: number }).number;
  };
  const before = await numberOfBono();
  const file = join(folder, "shared_config");
  writeFileSync(file, "home_domain=example.com\ncoalesce_ms=3\n");
  const said: string[] = [];
  const from = performance.now();
  const seconds = (): string => `${((performance.now() - from) / 1000).toFixed(0)} s`;
  const args = ["apply", file, "--author", "test", "--etcd", `http://${seed}:2379`];
  if ((await configAdmin(args, NODES, (line) => void said.push(line))) !== 0)
    throw new Error(said.join("\n"));
  for (const pool of ["homestead", "sprout"]) {
    await until(`${pool} has restarted`, 400, async () => {
      const queue = (await etcdEntries(seed, "/tidewater/restart-queues/")).get(
        `/tidewater/restart-queues/${pool}`,
      );
      if (queue?.includes('"failed"')) throw new Error(`the restart has failed: ${queue}`);
      return queue?.includes('"done"') ?? false;
    });
    note(`a configuration applied: ${pool} restarted with it, well again`, seconds());
  }
  await until("bono is told and well", 400, async () => {
    const ready = await fetch(`http://${bono}:9101/health/ready`, { signal: AbortSignal.timeout(5000) });
    return ready.ok && (await numberOfBono()) > before;
  });
  note("the same: bono told by the core, restarted, well again", seconds());
}
