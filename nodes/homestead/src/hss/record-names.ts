import { identityKey } from "./identity-key.ts";
import type { SubscriberRecord } from "./subscriber-repository.ts";

/** A name that belongs to one subscription at most. */
export type RecordName = { readonly canonical: string; readonly wildcard: boolean };

const PRIVATE = "impi:";
const SET = "irs:";
/** What the names of such rows begin with. */
export const PARKED = "private:";

/** Name of a private identity that its row is not named by. */
export function privateName(impi: string): string {
  return `${PRIVATE}${impi}`;
}

/** The private identity that a name is of; undefined when it is of something else. */
export function impiOfName(name: string): string | undefined {
  return name.startsWith(PRIVATE) ? name.slice(PRIVATE.length) : undefined;
}

/** Name of an implicit registration set with an id. */
export function setName(id: string): string {
  return `${SET}${id}`;
}

/** Name of the row of a private identity that was put by. */
export function parkedKey(impi: string): string {
  return `${PARKED}${impi}`;
}

export function isParkedKey(key: string): boolean {
  return key.startsWith(PARKED);
}

/** Whose names are asked for: a record to write, or one that was read. */
export type Named = Pick<SubscriberRecord, "impi"> & {
  readonly identities: readonly { readonly impu: string }[];
  readonly parts?:
    | {
        readonly privateIdentities: readonly { readonly impi: string }[];
        readonly sets: readonly { readonly id: string }[];
      }
    | undefined;
};

/** Names that a record takes beside that of its row. Throws TypeError for an identity that was not checked. */
export function namesOf({ impi: key, identities, parts }: Named): RecordName[] {
  const names = identities.map(({ impu }): RecordName => {
    const name = identityKey(impu);
    if (name === undefined) throw new TypeError("an identity that was not checked");
    return name;
  });
  if (parts === undefined || isParkedKey(key)) return names;
  for (const { impi } of parts.privateIdentities)
    if (impi !== key) names.push({ canonical: privateName(impi), wildcard: false });
  for (const { id } of parts.sets) names.push({ canonical: setName(id), wildcard: false });
  return names;
}

/** The private identities of a record. */
export function privateIdentitiesOf({ impi, parts }: Pick<Named, "impi" | "parts">): string[] {
  return parts === undefined ? [impi] : parts.privateIdentities.map((one) => one.impi);
}
