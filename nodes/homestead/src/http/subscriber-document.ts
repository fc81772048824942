import { createSecretKey } from "node:crypto";
import {
  type changedSubscriberSchema,
  type Subscriber as Document,
  type NewSubscriber,
  newSubscriberSchema,
} from "@ims/api";
import { isImpi } from "@ims/ims";
import type { z } from "zod";
import { opcOf } from "../aka/milenage.ts";
import { impiKey } from "../cx/identities.ts";
import { digestCredentials } from "../hss/digest.ts";
import { identityKey } from "../hss/identity-key.ts";
import { type AkaCredentials, type Credentials, noServices, type Subscriber } from "../hss/subscriber.ts";
import type { SubscriberRecord } from "../hss/subscriber-repository.ts";
import { copyOf, servicesFault, servicesOf } from "./services-document.ts";

/** What is wrong with a subscriber as it was handed in; never holds a secret. */
export type Reading =
  | { readonly kind: "read"; readonly record: SubscriberRecord }
  | { readonly kind: "wrong"; readonly impi: string | undefined; readonly error: string };

type ParsedChange = z.output<typeof changedSubscriberSchema>;

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
  return {
    impi: before.impi,
    identities: identities ?? before.identities.map(({ impu, barred }) => ({ impu, barred })),
    credentials:
      credentials === undefined ? before.credentials : credentialsOf(before.impi, realm, credentials),
    services: services === undefined ? before.services : servicesOf(services),
    sqn: credentials?.sqn === undefined ? undefined : Number.parseInt(credentials.sqn, 16),
  };
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
  const { state, authenticationPending, serverName } = subscriber.registration;
  const shown =
    state === "registered"
      ? "registered"
      : state === "unregistered"
        ? "unregistered-services"
        : authenticationPending
          ? "authentication-pending"
          : "not-registered";
  return {
    impi: subscriber.impi,
    publicIdentities: subscriber.identities.map(({ impu, barred }) => ({
      impu,
      barred,
      state: shown,
      ...(serverName === undefined ? {} : { serverName }),
    })),
    authentication: [
      ...(subscriber.credentials.digest === undefined ? [] : ["digest" as const]),
      ...(subscriber.credentials.aka === undefined ? [] : ["aka" as const]),
    ],
    ...(subscriber.services === noServices ? {} : { services: copyOf(subscriber.services) }),
  };
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

function akaOf({ k, op, opc, amf = DEFAULT_AMF }: NewSubscriber["credentials"]): AkaCredentials | undefined {
  if (k === undefined) return undefined;
  const key = createSecretKey(bytes(k));
  return { k: key, opc: opc === undefined ? opcOf(bytes(op ?? ""), key) : bytes(opc), amf: bytes(amf) };
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
