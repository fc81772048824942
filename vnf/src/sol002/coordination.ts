import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Drain } from "./drain.ts";
import type { Member } from "./member.ts";

/** LcmCoordRequest (SOL 002 clause 10.5.2.2); which members leave is told in inputParams. */
export const coordinationRequest = z.object({
  vnfInstanceId: z.string().min(1).max(200),
  vnfLcmOpOccId: z.string().min(1).max(200),
  lcmOperationType: z.string().min(1).max(50),
  coordinationActionName: z.string().min(1).max(100),
  inputParams: z
    .union([
      z.strictObject({ members: z.array(z.string().max(64)).min(1).max(1000) }),
      z.strictObject({ pool: z.string().max(32), count: z.int().min(1).max(1000) }),
    ])
    .optional(),
});
export type CoordinationRequest = z.output<typeof coordinationRequest>;

/** LcmCoord (SOL 002 clause 10.5.2.3). */
export interface Coordination {
  readonly id: string;
  readonly request: CoordinationRequest;
  /** Undefined: not decided yet. */
  result?: "CONTINUE" | "ABORT" | "CANCELLED";
  readonly drained: string[];
  readonly failed: { readonly name: string; readonly reason: string }[];
}

export type Beginning =
  | { readonly kind: "coordination"; readonly coordination: Coordination; readonly anew: boolean }
  | { readonly kind: "refused"; readonly status: 400 | 404 | 409; readonly detail: string };

const KEPT = 1000;

export interface CoordinationsModules {
  readonly drain: Drain;
  readonly members: () => readonly Member[];
}

/** Coordinations of this process: each drains the members that leave, all at once, and then says whether to go on. */
export class Coordinations {
  readonly #all = new Map<string, Coordination & { stop: AbortController }>();
  readonly #modules: CoordinationsModules;

  constructor(modules: CoordinationsModules) {
    this.#modules = modules;
  }

  get(id: string): Coordination | undefined {
    return this.#all.get(id);
  }

  /**
   * The same operation asking for the same action again is shown what it began before, unless that came to nothing: a retry of an operation
   * keeps its identifier (SOL 003 clause 5.4.14), and is to drain again.
   */
  begin(request: CoordinationRequest): Beginning {
    if (request.coordinationActionName !== "drain")
      return {
        kind: "refused",
        status: 404,
        detail: `there is no coordination action ${request.coordinationActionName}; there is drain`,
      };
    for (const known of this.#all.values())
      if (
        known.request.vnfLcmOpOccId === request.vnfLcmOpOccId &&
        (known.result === undefined || known.result === "CONTINUE")
      )
        return { kind: "coordination", coordination: known, anew: false };
    const leaving = this.#leaving(request);
    if (typeof leaving === "string") return { kind: "refused", status: 400, detail: leaving };
    if (this.#all.size >= KEPT) {
      const oldest = [...this.#all.values()].find(({ result }) => result !== undefined);
      if (oldest === undefined)
        return { kind: "refused", status: 409, detail: `${KEPT} coordinations are in progress` };
      this.#all.delete(oldest.id);
    }
    const stop = new AbortController();
    const coordination = { id: randomUUID(), request, drained: [], failed: [], stop };
    this.#all.set(coordination.id, coordination);
    void this.#drainAll(coordination, leaving);
    return { kind: "coordination", coordination, anew: true };
  }

  /** Members that are drained already stay so. */
  cancel(id: string): "cancelled" | "unknown" | "decided" {
    const coordination = this.#all.get(id);
    if (coordination === undefined) return "unknown";
    if (coordination.result !== undefined) return "decided";
    coordination.stop.abort();
    coordination.result = "CANCELLED";
    return "cancelled";
  }

  close(): void {
    for (const { stop } of this.#all.values()) stop.abort();
  }

  async #drainAll(
    coordination: Coordination & { stop: AbortController },
    leaving: readonly Member[],
  ): Promise<void> {
    await Promise.all(
      leaving.map(async (member) => {
        const result = await this.#modules
          .drain(member, coordination.stop.signal)
          .catch((error: unknown) => ({
            kind: "failed" as const,
            reason: String(error),
          }));
        if (result.kind === "drained") coordination.drained.push(member.name);
        else coordination.failed.push({ name: member.name, reason: result.reason });
      }),
    );
    coordination.result ??= coordination.failed.length === 0 ? "CONTINUE" : "ABORT";
  }

  /** Members named, or the last of a pool: those that scaling in takes. Without a word of them: all, which a termination takes. */
  #leaving({ inputParams, lcmOperationType }: CoordinationRequest): readonly Member[] | string {
    const members = this.#modules.members();
    if (inputParams === undefined)
      return lcmOperationType === "TERMINATE"
        ? members
        : "inputParams: say which members leave: members, or pool and count";
    if ("members" in inputParams) {
      const unknown = inputParams.members.filter((name) => !members.some((member) => member.name === name));
      if (unknown.length > 0) return `inputParams.members: there is no ${unknown.slice(0, 10).join(", ")}`;
      return members.filter(({ name }) => inputParams.members.includes(name));
    }
    const { pool, count } = inputParams;
    const number = ({ name }: Member) => Number(/\d+$/.exec(name)?.[0] ?? 0);
    const own = members.filter((member) => member.pool === pool).sort((a, b) => number(a) - number(b));
    if (own.length < count) return `inputParams: the pool ${pool} has ${own.length} members, not ${count}`;
    return own.slice(-count);
  }
}
