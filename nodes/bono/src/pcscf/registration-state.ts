import { canonicalImpu, parseWildcardedImpu, type RegInfo, type WildcardedImpu } from "@ims/ims";
import { flat } from "./flat.ts";
import type { Identity, Registration } from "./registration.ts";

/**
 * A registration as the network has it now: its identities for which a contact of this UE is active. The same object when nothing has
 * changed for it; undefined when none is left. In a partial document what it does not name stays (RFC 3680 §5.1).
 */
export function registrationAfter(
  registration: Registration,
  { state, registrations }: RegInfo,
  contacts: readonly string[],
): Registration | undefined {
  const named = new Map<string, { readonly active: boolean; readonly aor: string }>();
  const ranges = new Map<string, boolean>();
  for (const one of registrations) {
    const active =
      one.state === "active" &&
      one.contacts.some((contact) => contact.state === "active" && contacts.includes(latin1(contact.uri)));
    const impu = one.wildcard === undefined ? canonicalImpu(one.aor) : undefined;
    if (one.wildcard !== undefined) ranges.set(parseWildcardedImpu(one.wildcard)?.text ?? "", active);
    else if (impu !== undefined) named.set(impu, { active, aor: one.aor });
  }
  const stays = (known: boolean | undefined): boolean => known ?? state === "partial";
  const kept = registration.identities.filter(({ impu }) => stays(named.get(impu)?.active));
  const known = new Set(registration.identities.map(({ impu }) => impu));
  const added = [...named].filter(([impu, { active }]) => active && !known.has(impu));
  const wildcards = registration.wildcards.filter(({ text }) => stays(ranges.get(text)));
  const newRanges = [...ranges].flatMap(([text, active]): WildcardedImpu[] => {
    if (!active || registration.wildcards.some((one) => one.text === text)) return [];
    const wildcard = parseWildcardedImpu(flat(text));
    return wildcard === undefined ? [] : [wildcard];
  });
  const same =
    kept.length === registration.identities.length &&
    wildcards.length === registration.wildcards.length &&
    added.length + newRanges.length === 0;
  if (same) return registration;
  if (kept.length + added.length === 0) return undefined;
  const identities: Identity[] = [];
  const after: Registration = { ...registration, identities, wildcards: [...wildcards, ...newRanges] };
  for (const { impu, assertion } of kept) identities.push({ impu, assertion, registration: after });
  for (const [impu, { aor }] of added)
    identities.push({ impu: flat(impu), assertion: flat(`<${latin1(aor)}>`), registration: after });
  return after;
}

/** As it stands on the wire, one char an octet. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
