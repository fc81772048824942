import { type ImplicitRegistrationSet, implicitRegistrationSet, ProfileTemplates } from "@ims/ims";
import { dropOldest } from "@ims/runtime";

/** Reads User-Data; undefined when it is not a user profile. */
export type ProfileReader = (xml: string) => ImplicitRegistrationSet | undefined;

/** Reads profiles by the templates of their kind; of the others the last `capacity` are kept, by their text. */
export function profileReader(capacity: number): ProfileReader {
  const known = new Map<string, ImplicitRegistrationSet>();
  const templates = new ProfileTemplates();
  return (xml) => {
    // Not kept: what lives for some seconds costs the collector more than to read it again.
    const ofKind = templates.readKnown(xml);
    if (ofKind !== undefined) return implicitRegistrationSet(ofKind);
    const before = known.get(xml);
    if (before !== undefined) return before;
    const parsed = templates.parse(xml);
    if (parsed.kind === "malformed") return undefined;
    const set = implicitRegistrationSet(parsed.profile);
    if (known.size >= capacity) dropOldest(known, capacity);
    known.set(xml, set);
    return set;
  };
}
