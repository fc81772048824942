import type { FaultRecord } from "./calls.ts";
import type { RegisterOperation } from "./operations.ts";
import type { Violation } from "./violation.ts";

/**
 * The HSS heard of each registration once (Server-Assignment-Request, TS 29.228 §6.1.2). More is allowed only for REGISTERs
 * that a UE sent twice, and for those that were under way when a node died: whether it had told the HSS, nobody can know.
 * `assignments` is what the HSS counted; undefined: it was itself harmed, or its counters could not be read.
 */
export function checkAssignments(
  registers: readonly RegisterOperation[],
  faults: readonly FaultRecord[],
  assignments: number | undefined,
): Violation[] {
  if (assignments === undefined) return [];
  const changes = registers.filter(({ purpose }) => purpose !== "fetch");
  const sent = changes.reduce((sum, { bonos }) => sum + Math.max(1, bonos.length), 0);
  const underWay = faults.flatMap(({ at, ready }) =>
    changes.filter(({ began, ended }) => began < (ready ?? at) && ended > at),
  ).length;
  if (assignments <= sent + underWay) return [];
  return [
    {
      rule: "double effect",
      subject: "HSS",
      what: `${assignments} Server-Assignment-Requests for ${sent} registrations, ${underWay} of them under way at a fault`,
    },
  ];
}
