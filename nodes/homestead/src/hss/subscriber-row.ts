import { createSecretKey } from "node:crypto";
import { canonicalImpu, parseWildcardedImpu } from "@ims/ims";
import type { Sealing } from "./sealing.ts";
import { sharedText } from "./shared-text.ts";
import {
  type Credentials,
  type DigestCredentials,
  noServices,
  notRegistered,
  type ProfileText,
  type Registration,
  type RegistrationState,
  type ServiceData,
  type Subscriber,
  type SubscriberIdentity,
} from "./subscriber.ts";

/** Columns of what is provisioned. */
export type RecordRow = {
  readonly impi: string;
  readonly identities: string;
  readonly credentials: Uint8Array;
  readonly services: string;
  /** Of a subscription with several parts, whose public identities are all in `identities`. */
  readonly parts: string | null;
};

/** Columns of a registration. */
export type RegistrationRow = {
  readonly state: string;
  readonly server_name: string | null;
  readonly origin_host: string | null;
  readonly origin_realm: string | null;
};

/** Columns of the table `subscriber` of a database file. */
export type Row = RecordRow &
  RegistrationRow & {
    readonly sqn: number;
    readonly pending: number;
    /** Of one with several parts, but for its S-CSCF. */
    readonly states: string | null;
  };

/** What is provisioned, decoded. */
export type DecodedRecord = Omit<Subscriber, "sqn" | "registration">;

/** Of all who have no services of their own; nothing is ever kept in it. */
const noText: ProfileText = { xml: undefined };

export type SealedCredentials = {
  readonly digest?: DigestCredentials;
  readonly aka?: { readonly k: string; readonly opc: string; readonly amf: string };
};

export function encodeCredentials(credentials: Credentials): string {
  return JSON.stringify(sealableCredentials(credentials));
}

/** What is sealed of credentials. */
export function sealableCredentials({ digest, aka }: Credentials): SealedCredentials {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return {
    ...(digest === undefined ? {} : { digest }),
    ...(aka === undefined ? {} : { aka: { k: hex(aka.k.export()), opc: hex(aka.opc), amf: hex(aka.amf) } }),
  };
}

export function decodeCredentials({ digest, aka }: SealedCredentials): Credentials {
  const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
  return {
    digest: digest && { ...digest, realm: sharedText(digest.realm) },
    aka: aka && { k: createSecretKey(bytes(aka.k)), opc: bytes(aka.opc), amf: bytes(aka.amf) },
  };
}

/** Empty text for a subscriber without services of its own: most of them. */
export function encodeServices(services: ServiceData): string {
  return services === noServices ? "" : JSON.stringify(services);
}

export function decodeServices(text: string): ServiceData {
  return text === "" ? noServices : (JSON.parse(text) as ServiceData);
}

export function decodeRow(row: Row, sealing: Sealing): Subscriber {
  const { impi, identities, credentials, services, profile } = decodeRecord(row, sealing);
  const registration = decodeRegistration(row, row.pending !== 0);
  return { impi, identities, credentials, services, sqn: row.sqn, registration, profile };
}

export function decodeRecord(row: Omit<RecordRow, "parts">, sealing: Sealing): DecodedRecord {
  const identities = JSON.parse(row.identities) as { impu: string; barred: boolean }[];
  return {
    impi: row.impi,
    identities: identities.map(({ impu, barred }) => decodeIdentity(impu, barred)),
    credentials: decodeCredentials(JSON.parse(sealing.open(row.credentials, row.impi)) as SealedCredentials),
    services: decodeServices(row.services),
    profile: row.services === "" ? noText : { xml: undefined },
  };
}

export function decodeRegistration(row: RegistrationRow, authenticationPending: boolean): Registration {
  if (row.state === "notRegistered" && !authenticationPending && row.server_name === null)
    return notRegistered;
  return {
    state: row.state as RegistrationState,
    authenticationPending,
    serverName: optional(row.server_name),
    originHost: optional(row.origin_host),
    originRealm: optional(row.origin_realm),
  };
}

function optional(text: string | null): string | undefined {
  return text === null ? undefined : sharedText(text);
}

export function decodeIdentity(impu: string, barred: boolean): SubscriberIdentity {
  const wildcard = parseWildcardedImpu(impu);
  const canonical = wildcard?.text ?? canonicalImpu(impu) ?? impu;
  // One string where both are the same text: most of them.
  return { impu, barred, wildcard, canonical: canonical === impu ? impu : canonical };
}
