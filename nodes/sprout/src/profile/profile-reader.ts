import { type ImplicitRegistrationSet, implicitRegistrationSet, parseUserProfile } from "@ims/ims";

/** Reads User-Data; undefined when it is not a user profile. */
export type ProfileReader = (xml: string) => ImplicitRegistrationSet | undefined;

/** Keeps the last `capacity` profiles read, by their text: one profile is parsed once, not once a registration. */
export function profileReader(capacity: number): ProfileReader {
  const known = new Map<string, ImplicitRegistrationSet>();
  return (xml) => {
    const before = known.get(xml);
    if (before !== undefined) return before;
    const parsed = parseUserProfile(xml);
    if (parsed.kind === "malformed") return undefined;
    const set = implicitRegistrationSet(parsed.profile);
    if (known.size >= capacity) {
      const oldest = known.keys().next();
      if (!oldest.done) known.delete(oldest.value);
    }
    known.set(xml, set);
    return set;
  };
}
