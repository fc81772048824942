import type { Sealing } from "./sealing.ts";
import type { Credentials } from "./subscriber.ts";
import type { SubscriberRecord, SubscriptionRecord } from "./subscriber-repository.ts";
import {
  decodeCredentials,
  decodeIdentity,
  decodeServices,
  encodeServices,
  sealableCredentials,
} from "./subscriber-row.ts";
import type { Subscription } from "./subscription.ts";

/** Columns of a subscription with several parts; credentials of all its private identities are sealed in one. */
export type PartsRow = { readonly impi: string; readonly credentials: Uint8Array; readonly parts: string };

export type DecodedParts = Pick<Subscription, "key" | "privateIdentities" | "sets" | "profiles">;

type ProfileRow = [id: string, identities: SubscriberRecord["identities"], services: string];
type PartsText = {
  readonly p: readonly [impi: string, sets: readonly string[]][];
  readonly s: readonly [id: string, profiles: readonly ProfileRow[]][];
};

/** Private identities and sets, without any secret. */
export function encodeParts({ privateIdentities, sets }: SubscriptionRecord): string {
  const text: PartsText = {
    p: privateIdentities.map(({ impi, sets: ids }) => [impi, ids]),
    s: sets.map(({ id, profiles }) => [
      id,
      profiles.map(
        (one): ProfileRow => [
          one.id,
          one.identities.map(({ impu, barred }) => ({ impu, barred })),
          encodeServices(one.services),
        ],
      ),
    ]),
  };
  return JSON.stringify(text);
}

/** Credentials of each private identity, to be sealed. */
export function encodeAllCredentials({ privateIdentities }: SubscriptionRecord): string {
  return JSON.stringify(privateIdentities.map((one) => [one.impi, sealableCredentials(one.credentials)]));
}

/** Throws SECRETS_UNREADABLE when it was sealed with another key. */
export function decodeParts(row: PartsRow, sealing: Sealing): DecodedParts {
  const { p, s } = JSON.parse(row.parts) as PartsText;
  const sealed = JSON.parse(sealing.open(row.credentials, row.impi)) as [
    string,
    Parameters<typeof decodeCredentials>[0],
  ][];
  const credentials = new Map(sealed.map(([impi, one]) => [impi, decodeCredentials(one)]));
  return {
    key: row.impi,
    profiles: new Map(),
    privateIdentities: p.map(([impi, sets]) => ({
      impi,
      sets,
      credentials: credentials.get(impi) ?? NO_CREDENTIALS,
    })),
    sets: s.map(([id, profiles]) => ({
      id,
      profiles: profiles.map(([profileId, identities, services]) => ({
        id: profileId,
        identities: identities.map(({ impu, barred }) => decodeIdentity(impu, barred)),
        services: decodeServices(services),
      })),
    })),
  };
}

const NO_CREDENTIALS: Credentials = { digest: undefined, aka: undefined };

/** The private identities and set ids of a row, without opening what is sealed. */
export function partsNamed(parts: string): {
  readonly privateIdentities: readonly { readonly impi: string }[];
  readonly sets: readonly { readonly id: string }[];
} {
  const { p, s } = JSON.parse(parts) as PartsText;
  return { privateIdentities: p.map(([impi]) => ({ impi })), sets: s.map(([id]) => ({ id })) };
}
