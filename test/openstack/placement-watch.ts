import { setTimeout as delay } from "node:timers/promises";
import { hostCap, smallestPool, type Tolerance } from "../../vnf/src/index.ts";
import type { OpenStack } from "./lab/open-stack.ts";
import { type PlacedServer, placedServers, poolOf } from "./servers.ts";

/** The worst moment of a pool. */
export interface PoolWatch {
  /** Samples in which the pool had members. */
  samples: number;
  /** Greatest number of members on one host, and the members there were then. */
  worst: { readonly onHost: number; readonly members: number };
  /** Hosts that ever had a member. */
  readonly hosts: Set<string>;
  /** What must not be: more on a host than the bound for the members of that moment. */
  readonly violations: string[];
}

/** Asks Nova every second where every member is, and compares with the bound. */
export class PlacementWatch {
  readonly pools = new Map<string, PoolWatch>();
  readonly #admin: OpenStack;
  readonly #project: string;
  readonly #toleranceOf: (pool: string) => Tolerance;
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  /** Longest time between two samples, ms. */
  longestGap = 0;

  constructor(admin: OpenStack, project: string, toleranceOf: (pool: string) => Tolerance) {
    this.#admin = admin;
    this.#project = project;
    this.#toleranceOf = toleranceOf;
    this.#loop = this.#run();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let last = performance.now();
    while (!this.#ended.signal.aborted) {
      const servers = await placedServers(this.#admin, this.#project).catch(() => undefined);
      const now = performance.now();
      if (servers !== undefined) {
        this.longestGap = Math.max(this.longestGap, now - last);
        last = now;
        this.#sample(servers);
      }
      await delay(Math.max(0, 1000 - (performance.now() - now)));
    }
  }

  #sample(servers: readonly PlacedServer[]): void {
    for (const [pool, members] of Map.groupBy(servers, poolOf)) {
      if (pool === undefined) continue;
      const watch = this.#watch(pool);
      watch.samples++;
      const perHost = Map.groupBy(members, ({ host }) => host);
      const tolerance = this.#toleranceOf(pool);
      const bound = hostCap(tolerance, members.length);
      // While it has fewer members than that, one on a host is more than the share, and cannot be helped.
      const whole = members.length >= smallestPool(tolerance.share);
      for (const [host, there] of perHost) {
        watch.hosts.add(host);
        const { onHost, members: before } = watch.worst;
        if (whole && there.length * before > onHost * members.length)
          watch.worst = { onHost: there.length, members: members.length };
        if (there.length > bound)
          watch.violations.push(
            `${there.length} of ${members.length} ${pool}s on ${host}, where ${bound} may be: ${there.map(({ name }) => name).join(" ")}`,
          );
      }
    }
  }

  #watch(pool: string): PoolWatch {
    const found = this.pools.get(pool);
    if (found !== undefined) return found;
    const made: PoolWatch = {
      samples: 0,
      worst: { onHost: 0, members: 1 },
      hosts: new Set(),
      violations: [],
    };
    this.pools.set(pool, made);
    return made;
  }
}
