import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Violation } from "../history/violation.ts";
import type { Told } from "../load/told.ts";
import type { Core } from "../system/core.ts";

/** What could not be written to a store that was away is written later: it gets this many looks, 2 s apart. */
const LOOKS = 8;
const BETWEEN_MS = 2_000;
/** Between what the S-CSCF wrote and when the UE heard of it, s. */
const TOLERANCE_S = 5;

/** What UEs were told beside what the stores hold, by `tidewater audit bindings`. `servers`: memcached, where they are others by now. */
export async function auditStores(
  core: Core,
  told: Told,
  folder: string,
  servers?: string,
): Promise<Violation[]> {
  const at = (pool: string, port: number): string =>
    core
      .pool(pool)
      .map(({ host }) => `${host}:${port}`)
      .join(",");
  const [memcached, cassandra] = [servers ?? at("memcached", 11_211), at("cassandra", 9_042)];
  if (memcached === "" && cassandra === "") return [];
  const file = join(folder, "told.jsonl");
  writeFileSync(
    file,
    told
      .lines()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
  const args = ["audit", "bindings", "--json", "--told", file, "--tolerance", String(TOLERANCE_S)];
  if (memcached !== "") args.push("--memcached", memcached);
  if (cassandra !== "") args.push("--cassandra", cassandra);
  let violations: Violation[] = [];
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await delay(BETWEEN_MS);
    const { output } = await core.tidewater(args);
    violations = findingsOf(output);
    if (violations.length === 0) break;
  }
  return violations;
}

const RULES: Readonly<Record<string, Violation["rule"]>> = {
  lost: "binding lost",
  resurrected: "binding resurrected",
};

/** Findings of the audit as it prints them; anything else it says is a violation too. */
export function findingsOf(output: string): Violation[] {
  const line = output.split("\n").find((one) => one.startsWith("{"));
  if (line === undefined)
    return [{ rule: "undecided", subject: "stores", what: output.slice(0, 200).trim() }];
  const { findings } = JSON.parse(line) as { findings: readonly Record<string, string>[] };
  return findings.map(({ kind = "", aor = "", contact = "", store = "", problem = "" }) => ({
    rule: RULES[kind] ?? "stores differ",
    subject: `${aor} ${contact}`,
    what: `${store}: ${kind}: ${problem}`,
  }));
}
