import { linearizable } from "./linearizable.ts";
import type { Audit, Delivery, History, RegisterOperation } from "./operations.ts";
import type { Violation } from "./violation.ts";

/** A request to a device may still be on its way when its de-registration is acknowledged. */
const IN_FLIGHT_MS = 500;

/** Devices by AoR. */
export type Bound = ReadonlyMap<string, readonly string[]>;

/**
 * No acknowledged binding is lost, none comes back after it was removed, and what each AoR's devices were told fits one
 * order of events. `initially` is what was bound when the history begins.
 */
export function checkBindings(history: History, initially: Bound): Violation[] {
  const byAor = Map.groupBy(history.registers, ({ aor }) => aor);
  const violations: Violation[] = [];
  for (const audit of history.audits) {
    const operations = (byAor.get(audit.aor) ?? []).filter(({ began }) => began <= audit.at);
    violations.push(...checkAudit(audit, operations, initially.get(audit.aor) ?? []));
  }
  for (const [aor, operations] of byAor) {
    const result = linearizable(operations, initially.get(aor) ?? []);
    if (result.kind === "violated")
      violations.push({ rule: "not linearizable", subject: aor, what: told(result.stuckAt) });
    if (result.kind === "undecided")
      violations.push({ rule: "undecided", subject: aor, what: `gave up after ${result.steps} steps` });
  }
  for (const [aor, deliveries] of Map.groupBy(history.deliveries, ({ aor }) => aor))
    violations.push(...resurrections(deliveries, byAor.get(aor) ?? []));
  return violations;
}

/** "bound", "gone", or "either" where an unknown outcome leaves it open. */
export function fateOf(
  device: string,
  operations: readonly RegisterOperation[],
  initially: readonly string[],
): "bound" | "gone" | "either" {
  let fate: "bound" | "gone" | "either" = initially.includes(device) ? "bound" : "gone";
  const mine = operations
    .filter((one) => one.device === device && one.purpose !== "fetch")
    .toSorted((a, b) => a.began - b.began);
  for (const { outcome, purpose } of mine) {
    const after = purpose === "remove" ? "gone" : "bound";
    if (outcome === "ok") fate = after;
    else if (outcome === "unknown" && fate !== after) fate = "either";
  }
  return fate;
}

function checkAudit(
  audit: Audit,
  operations: readonly RegisterOperation[],
  initially: readonly string[],
): Violation[] {
  const violations: Violation[] = [];
  const devices = new Set([...initially, ...operations.map(({ device }) => device)]);
  let anyBound = false;
  for (const device of devices) {
    const fate = fateOf(device, operations, initially);
    if (fate === "bound") anyBound = true;
    const subject = `${audit.aor} ${device}`;
    if (fate === "bound" && audit.listed !== undefined && !audit.listed.includes(device))
      violations.push({
        rule: "binding lost",
        subject,
        what: `acknowledged, not listed at ${ms(audit.at)}; listed: ${audit.listed.join(" ") || "none"}`,
      });
    if (fate === "gone" && (audit.listed?.includes(device) || audit.reached.includes(device)))
      violations.push({
        rule: "binding resurrected",
        subject,
        what: `removed, but ${audit.reached.includes(device) ? "reached" : "listed"} at ${ms(audit.at)}`,
      });
  }
  if (audit.listed === undefined)
    violations.push({ rule: "not answered", subject: audit.aor, what: `a fetch at ${ms(audit.at)}` });
  if (anyBound && (audit.reached.length === 0 || audit.status !== 200))
    violations.push({
      rule: "not reachable",
      subject: audit.aor,
      what: `OPTIONS at ${ms(audit.at)}: status ${audit.status}, reached ${audit.reached.join(" ") || "nobody"}`,
    });
  return violations;
}

/** Requests that came to a device between the end of an acknowledged removal and the next registration. */
function resurrections(
  deliveries: readonly Delivery[],
  operations: readonly RegisterOperation[],
): Violation[] {
  const violations: Violation[] = [];
  for (const removal of operations) {
    if (removal.purpose !== "remove" || removal.outcome !== "ok") continue;
    const again = operations.filter(
      (one) => one.device === removal.device && one.purpose !== "fetch" && one.ended > removal.began,
    );
    const until = Math.min(
      ...again.filter((one) => one !== removal).map(({ began }) => began),
      Number.POSITIVE_INFINITY,
    );
    const late = deliveries.find(
      ({ device, at }) => device === removal.device && at > removal.ended + IN_FLIGHT_MS && at < until,
    );
    if (late !== undefined)
      violations.push({
        rule: "binding resurrected",
        subject: `${removal.aor} ${removal.device}`,
        what: `${late.method} at ${ms(late.at)}, removal acknowledged at ${ms(removal.ended)}`,
      });
  }
  return violations;
}

function told({ purpose, device, began, ended, seen }: RegisterOperation): string {
  const list = seen === undefined ? "" : `, told: ${seen.join(" ") || "no binding"}`;
  return `${purpose} of ${device} from ${ms(began)} to ${ms(ended)}${list}`;
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}
