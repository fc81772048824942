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

/** Whether both have the same bindings, each as the same REGISTER has left it. */
export function sameBindings(first: Registration | undefined, second: Registration | undefined): boolean {
  const names = (of: Registration | undefined): string =>
    (of?.bindings ?? [])
      .map(({ impi, key, callId, cseq }) => `${impi}\n${key}\n${callId}\n${cseq}`)
      .sort()
      .join("\n\n");
  return names(first) === names(second);
}
