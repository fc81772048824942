import { canonicalImpu, parseWildcardedImpu, type RegInfo, type WildcardedImpu } from "@ims/ims";
import { flat } from "./flat.ts";
import { associatedIdentity, Registration } from "./registration.ts";

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
  const { identities } = registration;
  const kept = identities.filter(({ impu }) => stays(named.get(impu)?.active));
  const known = new Set(identities.map(({ impu }) => impu));
  const added = [...named].filter(([impu, { active }]) => active && !known.has(impu));
  const { grants } = registration;
  const wildcards = grants.wildcards.filter(({ text }) => stays(ranges.get(text)));
  const newRanges = [...ranges].flatMap(([text, active]): WildcardedImpu[] => {
    if (!active || grants.wildcards.some((one) => one.text === text)) return [];
    const wildcard = parseWildcardedImpu(flat(text));
    return wildcard === undefined ? [] : [wildcard];
  });
  const same =
    kept.length === identities.length &&
    wildcards.length === grants.wildcards.length &&
    added.length + newRanges.length === 0;
  if (same) return registration;
  const [first, ...others] = [
    ...kept,
    ...added.map(([impu, { aor }]) => associatedIdentity(impu, latin1(aor))),
  ];
  if (first === undefined) return undefined;
  const { impi, owner, serviceRoute, expiresAt } = registration;
  const isSameRanges = wildcards.length === grants.wildcards.length && newRanges.length === 0;
  const granted = isSameRanges ? grants : { ...grants, wildcards: [...wildcards, ...newRanges] };
  return new Registration({ impi, owner, serviceRoute, expiresAt, grants: granted }, [first, ...others]);
}

/** As it stands on the wire, one char an octet. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
