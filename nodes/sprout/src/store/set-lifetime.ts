import { liveBindings, type Registration } from "./registration.ts";

/** Kept past the last expiry: whoever deregisters the lapsed user must still find its profile. */
export const GRACE_SECONDS = 3600;

/** What leads to a set: its other identities, and the private identities it is not named after. */
export interface Links {
  readonly aliases: readonly string[];
  readonly impis: ReadonlySet<string>;
}

/** The set with the time until which its links (and its durable head) are good, when that must be put off; else undefined. */
export function renewedFor(wanted: Registration, now: number): Registration | undefined {
  const last = lastExpiry(wanted, now);
  if (wanted.aliasesUntil >= last) return undefined;
  // Twice as long as needed: only every second refresh writes the links again.
  return { ...wanted, aliasesUntil: last + (last - now) };
}

/** A set's links. */
export function linksOf(key: string, { impu, profile, bindings }: Registration): Links {
  const aliases: string[] = [];
  for (const { canonical } of profile.members) if (canonical !== impu) aliases.push(canonical);
  const impis = new Set<string>();
  for (const { impi } of bindings) if (`sip:${impi}` !== key) impis.add(impi);
  return { aliases, impis };
}

/** When the last of a set has lapsed, ms since the epoch. */
export function lastExpiry(registration: Registration, now: number): number {
  let last = Math.max(now, registration.heldUntil);
  for (const { expiresAt } of liveBindings(registration, now)) if (expiresAt > last) last = expiresAt;
  return last;
}

/** How long the working copy keeps a set, s. */
export function lifetimeOf(registration: Registration, now: number): number {
  return Math.ceil((lastExpiry(registration, now) - now) / 1000) + GRACE_SECONDS;
}
