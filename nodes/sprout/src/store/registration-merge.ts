import type { Binding, Registration } from "./registration.ts";
import type { WriteMeta } from "./registration-codec.ts";
import { type Subscription, subscriptionName } from "./subscription.ts";

/** Bindings and subscriptions of both; of one that both have, the one that is further on. All else is as in the first. */
export function mergeRegistrations(first: Registration, second: Registration): Registration {
  const bindings = new Map<string, Binding>();
  for (const binding of [...second.bindings, ...first.bindings]) {
    const name = `${binding.impi}\n${binding.key}`;
    const other = bindings.get(name);
    if (other === undefined || binding.refreshedAt >= other.refreshedAt) bindings.set(name, binding);
  }
  return { ...first, bindings: [...bindings.values()], subscriptions: mergeSubscriptions(first, second) };
}

function mergeSubscriptions(first: Registration, second: Registration): readonly Subscription[] {
  if (second.subscriptions.length === 0) return first.subscriptions;
  const merged = new Map<string, Subscription>();
  for (const one of [...second.subscriptions, ...first.subscriptions]) {
    const other = merged.get(subscriptionName(one));
    if (other === undefined || one.cseq >= other.cseq) merged.set(subscriptionName(one), one);
  }
  return [...merged.values()];
}

/**
 * What holds while the working copy may have missed writes, or taken one late. Rows of a later change hold alone; otherwise they
 * hold with what may still be on its way to them: bindings registered since they changed. What else the working copy has was
 * removed past it, what it lacks was added past it. If it is known that the rows lack something, the bindings of both hold.
 */
export function inDoubt(
  { rows, stamp }: { readonly rows: Registration | undefined; readonly stamp: number },
  { working, meta }: { readonly working: Registration | undefined; readonly meta: WriteMeta },
): Registration | undefined {
  const isLater = stamp > meta.stamp;
  if (working === undefined || (isLater && (rows === undefined || meta.behind === 0))) return rows;
  if (meta.behind > 0) return rows === undefined ? working : mergeRegistrations(rows, working);
  const bindings = working.bindings.filter(({ refreshedAt }) => refreshedAt * 1000 >= stamp);
  if (rows !== undefined) return mergeRegistrations(rows, { ...working, bindings });
  return bindings.length > 0 || working.bindings.length === 0 ? { ...working, bindings } : undefined;
}

/** Whether both have the same bindings and subscriptions, each as the same request has left it. */
export function sameBindings(first: Registration | undefined, second: Registration | undefined): boolean {
  const names = (of: Registration | undefined): string =>
    (of?.bindings ?? [])
      .map(({ impi, key, callId, cseq }) => `${impi}\n${key}\n${callId}\n${cseq}`)
      .concat((of?.subscriptions ?? []).map((one) => `${subscriptionName(one)}\n${one.cseq}`))
      .sort()
      .join("\n\n");
  return names(first) === names(second);
}
