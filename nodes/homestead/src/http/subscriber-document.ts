import { createSecretKey } from "node:crypto";
import {
  type changedSubscriberSchema,
  type Subscriber as Document,
  type NewSubscriber,
  newSubscriberSchema,
  sharingSubscriberSchema,
} from "@ims/api";
import { isImpi } from "@ims/ims";
import type { z } from "zod";
import { opcOf } from "../aka/milenage.ts";
import { impiKey } from "../cx/identities.ts";
import { digestCredentials } from "../hss/digest.ts";
import { identityKey } from "../hss/identity-key.ts";
import { withPrivateIdentity, withProfile } from "../hss/parts-change.ts";
import { eachSetOf, keyOf, partsOf, privateIdentitiesWith, recordOfParts } from "../hss/stored.ts";
import { type AkaCredentials, type Credentials, noServices, type Subscriber } from "../hss/subscriber.ts";
import type { SubscriberRecord } from "../hss/subscriber-repository.ts";
import { copyOf, servicesFault, servicesOf } from "./services-document.ts";

/** What is wrong with a subscriber as it was handed in; never holds a secret. */
export type Reading =
  | { readonly kind: "read"; readonly record: SubscriberRecord }
  | { readonly kind: "wrong"; readonly impi: string | undefined; readonly error: string };

/** One more private identity of a subscription. */
export type Sharing = {
  readonly impi: string;
  readonly sharesWith: string;
  readonly credentials: Credentials;
  readonly sqn: number;
};

type ParsedChange = z.output<typeof changedSubscriberSchema>;

type GivenCredentials = NonNullable<ParsedChange["credentials"]>;

const DEFAULT_AMF = "8000";
/** As the schema says of all of them. */
const MAX_IDENTITIES = 64;

/** Reads one subscriber to add. `realm` is that of SIP Digest. */
export function readNewSubscriber(given: unknown, realm: string): Reading {
  const parsed = newSubscriberSchema.safeParse(given);
  if (!parsed.success) {
    const impi = (given as { impi?: unknown } | null)?.impi;
    const error = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "subscriber"}: ${message}`,
    );
    return {
      kind: "wrong",
      impi: typeof impi === "string" ? impi.slice(0, 255) : undefined,
      error: error.join("; "),
    };
  }
  const impi = impiKey(parsed.data.impi);
  if (!isImpi(impi)) return { kind: "wrong", impi, error: "impi: a private identity is user@realm" };
  const error = identitiesFault(parsed.data.publicIdentities);
  if (error !== undefined) return { kind: "wrong", impi, error };
  const { credentials, services } = parsed.data;
  const fault = services && servicesFault(services);
  if (fault !== undefined) return { kind: "wrong", impi, error: fault };
  return {
    kind: "read",
    record: {
      impi,
      identities: parsed.data.publicIdentities,
      credentials: credentialsOf(impi, realm, credentials),
      services: servicesOf(services),
      sqn: Number.parseInt(credentials.sqn ?? "0", 16),
    },
  };
}

/** Whether a subscriber to add is to be one more private identity of another's subscription. */
export function isSharing(given: unknown): boolean {
  return typeof given === "object" && given !== null && Object.hasOwn(given, "sharesWith");
}

/** Reads such a one; the text says what is wrong with it. */
export function readSharing(given: unknown, realm: string): Sharing | string {
  const parsed = sharingSubscriberSchema.safeParse(given);
  if (!parsed.success)
    return parsed.error.issues
      .map(({ path, message }) => `${path.join(".") || "body"}: ${message}`)
      .join("; ");
  const { credentials } = parsed.data;
  const impi = impiKey(parsed.data.impi);
  if (!isImpi(impi)) return "impi: a private identity is user@realm";
  const sharesWith = impiKey(parsed.data.sharesWith);
  return {
    impi,
    sharesWith,
    credentials: credentialsOf(impi, realm, credentials),
    sqn: Number.parseInt(credentials.sqn ?? "0", 16),
  };
}

/** More private identities than anybody has user equipments. */
const MAX_PRIVATE_IDENTITIES = 32;

/** A subscription with one more private identity, which may register what `before` may; the text says why not. */
export function sharedRecord(
  before: Subscriber,
  { impi, credentials, sqn }: Sharing,
): SubscriberRecord | string {
  const parts = partsOf(before);
  if (parts.privateIdentities.length >= MAX_PRIVATE_IDENTITIES)
    return `sharesWith: a subscription has ${MAX_PRIVATE_IDENTITIES} private identities at most`;
  const sets = parts.privateIdentities.find((one) => one.impi === before.impi)?.sets ?? [];
  if (sets.length === 0) return `sharesWith: ${before.impi} has no implicit registration set`;
  return recordOfParts(keyOf(before), withPrivateIdentity(parts, { impi, credentials, sets, sqn }));
}

/** A subscriber with a change applied; the text says what is wrong with it. */
export function changedRecord(
  before: Subscriber,
  change: ParsedChange,
  realm: string,
): SubscriberRecord | string {
  const identities = changedIdentities(before, change);
  if (typeof identities === "string") return identities;
  const { services } = change;
  const fault = (identities && identitiesFault(identities)) ?? (services && servicesFault(services));
  if (fault !== undefined) return fault;
  const { credentials } = change;
  if (credentials !== undefined && isAdjustment(credentials) && before.credentials.aka === undefined)
    return `credentials: ${before.impi} has no SIM credentials that amf or sqn could be of`;
  if (before.part !== undefined) return changedPart(before, change, identities, realm);
  return {
    impi: before.impi,
    identities: identities ?? before.identities.map(({ impu, barred }) => ({ impu, barred })),
    credentials: changedCredentials(before.impi, before.credentials, realm, credentials),
    services: services === undefined ? before.services : servicesOf(services),
    sqn: credentials?.sqn === undefined ? undefined : Number.parseInt(credentials.sqn, 16),
  };
}

/** The same of one of several parts. */
function changedPart(
  before: Subscriber,
  { credentials, services }: ParsedChange,
  identities: SubscriberRecord["identities"] | undefined,
  realm: string,
): SubscriberRecord | string {
  let parts = partsOf(before);
  const own = parts.privateIdentities.find(({ impi }) => impi === before.impi);
  if (credentials !== undefined && own !== undefined) {
    const sqn = credentials.sqn === undefined ? undefined : Number.parseInt(credentials.sqn, 16);
    const changed = {
      ...own,
      credentials: changedCredentials(own.impi, own.credentials, realm, credentials),
      sqn,
    };
    parts = withPrivateIdentity(parts, changed);
  }
  if (identities !== undefined || services !== undefined) {
    const sets = parts.sets.filter(({ id }) => own?.sets.includes(id));
    const [set] = sets;
    const [profile] = set?.profiles ?? [];
    if (set === undefined || profile === undefined || sets.length > 1 || set.profiles.length > 1)
      return `${before.impi} has several registration sets or service profiles: change them by /irs/<set>/service_profiles`;
    parts = withProfile(parts, set.id, profile.id, (known) => ({
      ...known,
      identities: identities ?? known.identities,
      services: services === undefined ? known.services : servicesOf(services),
    }));
  }
  return recordOfParts(keyOf(before), parts);
}

/** Undefined: they stay as they are. The text says what is wrong with the change. */
function changedIdentities(
  { identities }: Subscriber,
  { publicIdentities, addPublicIdentities: added, removePublicIdentities: removed }: ParsedChange,
): { impu: string; barred: boolean }[] | string | undefined {
  if (added === undefined && removed === undefined)
    return publicIdentities?.map(({ impu, barred = false }) => ({ impu, barred }));
  if (publicIdentities !== undefined)
    return "publicIdentities: replace all of them, or add and remove some, not both";
  const keyOf = (impu: string): string => identityKey(impu)?.canonical ?? impu;
  const gone = new Set((removed ?? []).map(keyOf));
  const after = new Map(
    identities
      .filter(({ canonical }) => !gone.has(canonical))
      .map(({ impu, barred, canonical }) => [canonical, { impu, barred }]),
  );
  for (const { impu, barred = false } of added ?? []) {
    const known = after.get(keyOf(impu));
    after.set(keyOf(impu), { impu: known?.impu ?? impu, barred });
  }
  if (after.size === 0) return "removePublicIdentities: one has to stay; delete the subscriber instead";
  if (after.size > MAX_IDENTITIES) return `addPublicIdentities: ${MAX_IDENTITIES} at most`;
  return [...after.values()];
}

/** How a subscriber is shown: no secret in any form. */
export function documentOf(subscriber: Subscriber): Document {
  const { impi, credentials, part } = subscriber;
  const sets = eachSetOf(subscriber);
  const several = sets.length > 1 || (part?.set?.profiles.length ?? 1) > 1;
  const others = privateIdentitiesWith(subscriber).filter((other) => other !== impi);
  return {
    impi,
    publicIdentities: sets.flatMap(identityDocuments),
    authentication: [
      ...(credentials.digest === undefined ? [] : ["digest" as const]),
      ...(credentials.aka === undefined ? [] : ["aka" as const]),
    ],
    ...(several || isEmpty(subscriber.services) ? {} : { services: copyOf(subscriber.services) }),
    ...(others.length === 0 ? {} : { sharesWith: others }),
    ...(part === undefined ? {} : { registrationSets: sets.flatMap(setDocument) }),
  };
}

/** Nothing of its own: said by one value where it is written as a whole. */
function isEmpty(services: Subscriber["services"]): boolean {
  return servicesOf(services) === noServices;
}

function identityDocuments({ identities, registration }: Subscriber): Document["publicIdentities"] {
  const { state, authenticationPending, serverName } = registration;
  const shown =
    state === "registered"
      ? "registered"
      : state === "unregistered"
        ? "unregistered-services"
        : authenticationPending
          ? "authentication-pending"
          : "not-registered";
  return identities.map(({ impu, barred }) => ({
    impu,
    barred,
    state: shown,
    ...(serverName === undefined ? {} : { serverName }),
  }));
}

function setDocument({ part }: Subscriber): NonNullable<Document["registrationSets"]> {
  const set = part?.set;
  if (part === undefined || set === undefined) return [];
  const { privateIdentities } = part.subscription;
  return [
    {
      id: set.id,
      privateIdentities: privateIdentities.filter((one) => one.sets.includes(set.id)).map(({ impi }) => impi),
      serviceProfiles: set.profiles.map(({ id, identities, services }) => ({
        id,
        publicIdentities: identities.map(({ impu }) => impu),
        ...(isEmpty(services) ? {} : { services: copyOf(services) }),
      })),
    },
  ];
}

function identitiesFault(identities: readonly { readonly impu: string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { impu } of identities) {
    const key = identityKey(impu);
    if (key === undefined) return `publicIdentities: ${impu} is neither a SIP URI nor a global tel URI`;
    if (seen.has(key.canonical)) return `publicIdentities: ${key.canonical} is there twice`;
    seen.add(key.canonical);
  }
  return undefined;
}

function credentialsOf(impi: string, realm: string, given: NewSubscriber["credentials"]): Credentials {
  return {
    digest: given.password === undefined ? undefined : digestCredentials(impi, realm, given.password),
    aka: akaOf(given),
  };
}

/** Whether the keys stay as they are. */
function isAdjustment({ password, k }: GivenCredentials): boolean {
  return password === undefined && k === undefined;
}

function changedCredentials(
  impi: string,
  before: Credentials,
  realm: string,
  given: GivenCredentials | undefined,
): Credentials {
  if (given === undefined) return before;
  if (!isAdjustment(given)) return credentialsOf(impi, realm, given);
  const { digest, aka } = before;
  if (aka === undefined || given.amf === undefined) return before;
  return { digest, aka: { ...aka, amf: bytes(given.amf) } };
}

function akaOf({ k, op, opc, amf = DEFAULT_AMF }: NewSubscriber["credentials"]): AkaCredentials | undefined {
  if (k === undefined) return undefined;
  const key = createSecretKey(bytes(k));
  return { k: key, opc: opc === undefined ? opcOf(bytes(op ?? ""), key) : bytes(opc), amf: bytes(amf) };
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
