import type { Binding, Registration } from "./registration.ts";

/** Bindings of both; of one that both have, the one refreshed last. All else is as in the first. */
export function mergeRegistrations(first: Registration, second: Registration): Registration {
  const bindings = new Map<string, Binding>();
  for (const binding of [...second.bindings, ...first.bindings]) {
    const name = `${binding.impi}\n${binding.key}`;
    const other = bindings.get(name);
    if (other === undefined || binding.refreshedAt >= other.refreshedAt) bindings.set(name, binding);
  }
  return { ...first, bindings: [...bindings.values()] };
}
