import type { Clock, Timer } from "../clock.ts";
import type { DnsResolver } from "../dns/resolver.ts";
import type { Logger } from "../log/logger.ts";
import { runtimeProblems } from "../problems.ts";
import type { Pools } from "./pools.ts";

/** One way to a service. */
export interface ServiceTarget {
  /** Name of the member, as the SRV record has it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Lower is preferred. */
  readonly priority: number;
}

export interface FollowModules {
  readonly resolver: DnsResolver;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where there is a pools file, its changes count at once; the DNS is asked again when its TTL is over. */
  readonly pools?: Pools | undefined;
}

const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/**
 * Follows an SRV name ("_diameter._tcp.homestead.example.com"): `onTargets` gets all targets at first and whenever they
 * are others. While the name cannot be resolved, or has no records, the last targets stay. Returns how to end it.
 */
export function followService(
  name: string,
  { resolver, clock, log, pools }: FollowModules,
  onTargets: (targets: readonly ServiceTarget[]) => void,
): { stop(): void } {
  let stopped = false;
  let known = "";
  let timer: Timer | undefined;
  let round = 0;

  function ask(): void {
    timer?.cancel();
    const mine = ++round;
    resolve(name, resolver).then(
      ({ targets, ttlSeconds }) => {
        if (stopped || mine !== round) return;
        const key = targets.map((one) => JSON.stringify(one)).join();
        if (targets.length > 0 && key !== known) {
          known = key;
          onTargets(targets);
        }
        timer = clock.setTimer(Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, ttlSeconds * 1000)), ask);
      },
      (err: unknown) => {
        log.error({ err, name, problemId: runtimeProblems.defect.id }, "following a service failed");
        if (!stopped) timer = clock.setTimer(MAX_WAIT_MS, ask);
      },
    );
  }
  const unlisten = pools?.onChange(ask);
  ask();
  return {
    stop() {
      stopped = true;
      timer?.cancel();
      unlisten?.();
    },
  };
}

async function resolve(
  name: string,
  resolver: DnsResolver,
): Promise<{ targets: ServiceTarget[]; ttlSeconds: number }> {
  const services = await resolver.srv(name);
  if (services.kind !== "found")
    return { targets: [], ttlSeconds: services.kind === "failed" ? 1 : services.ttlSeconds };
  let { ttlSeconds } = services;
  let failed = false;
  const found = await Promise.all(
    services.records.map(async ({ target, port, priority }) => {
      const families = await Promise.all(
        ([4, 6] as const).map((family) => resolver.addresses(target, family)),
      );
      return families.flatMap((answer) => {
        if (answer.kind === "failed") failed = true;
        if (answer.kind !== "found") return [];
        ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds);
        return answer.records.map((address) => ({ name: target, address, port, priority }));
      });
    }),
  );
  // Half an answer would take members away that are only unknown now.
  if (failed) return { targets: [], ttlSeconds: 1 };
  const byPlace = (one: ServiceTarget): string => `${one.name} ${one.address} ${one.port}`;
  const targets = found.flat().sort((a, b) => (byPlace(a) < byPlace(b) ? -1 : 1));
  return { targets, ttlSeconds };
}
