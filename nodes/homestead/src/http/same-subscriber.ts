import { isDeepStrictEqual } from "node:util";
import { identityKey } from "../hss/identity-key.ts";
import type { AkaCredentials, Credentials, Subscriber } from "../hss/subscriber.ts";
import type { SubscriberRecord } from "../hss/subscriber-repository.ts";

/**
 * What of a subscriber that is there is other than a record says; undefined: nothing, writing it would change nothing. SQN has moved on
 * since, and services count when the record was given any.
 */
export function differenceFrom(
  before: Subscriber,
  record: SubscriberRecord,
  { withServices }: { readonly withServices: boolean },
): "identities" | "credentials" | "services" | undefined {
  const identities = record.identities.map(({ impu, barred }) => [
    identityKey(impu)?.canonical ?? impu,
    barred,
  ]);
  const known = before.identities.map(({ canonical, barred }) => [canonical, barred]);
  if (before.part !== undefined || !isDeepStrictEqual(identities, known)) return "identities";
  if (!isSameProof(before.credentials, record.credentials)) return "credentials";
  if (withServices && !isDeepStrictEqual(before.services, record.services)) return "services";
  return undefined;
}

function isSameProof(one: Credentials, other: Credentials): boolean {
  return isDeepStrictEqual(one.digest, other.digest) && isSameSim(one.aka, other.aka);
}

function isSameSim(one: AkaCredentials | undefined, other: AkaCredentials | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
  return one.k.equals(other.k) && same(one.opc, other.opc) && same(one.amf, other.amf);
}
