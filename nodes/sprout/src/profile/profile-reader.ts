import { type ImplicitRegistrationSet, implicitRegistrationSet, ProfileTemplates } from "@ims/ims";

/** Reads User-Data; undefined when it is not a user profile. */
export type ProfileReader = (xml: string) => ImplicitRegistrationSet | undefined;

/** Keeps the last `capacity` profiles read, by their text; others are read by the templates of their kind. */
export function profileReader(capacity: number): ProfileReader {
  const known = new Map<string, ImplicitRegistrationSet>();
  const templates = new ProfileTemplates();
  return (xml) => {
    const before = known.get(xml);
    if (before !== undefined) return before;
    const parsed = templates.read(xml);
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
