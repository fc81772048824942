import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subscriber } from "../load/load.ts";
import type { Random } from "../random.ts";
import type { Core } from "./core.ts";

/** Adds subscribers through the command line program, all in one file. */
export async function provision(
  core: Core,
  count: number,
  random: Random,
  folder: string,
): Promise<Subscriber[]> {
  const subscribers = Array.from({ length: count }, (_, index) => ({
    user: `ue${String(index).padStart(5, "0")}`,
    password: Math.floor(random.next() * 1e15).toString(36),
  }));
  const rows = subscribers.map(
    ({ user, password }) => `${user}@${core.domain},sip:${user}@${core.domain},${password}`,
  );
  const file = join(folder, "subscribers.csv");
  writeFileSync(file, `impi,impu,password\n${rows.join("\n")}\n`, { mode: 0o600 });
  const host = core.pool("homestead")[0]?.host ?? "127.0.0.1";
  const { code, output } = await core.tidewater([
    ...["subscriber", "import", "--url", `http://${host}:8889`],
    file,
  ]);
  if (code !== 0) throw new Error(`subscribers could not be added: ${output.slice(0, 500)}`);
  return subscribers;
}
