import type { Sealing } from "../sealing.ts";
import type {
  Credentials,
  ProfileText,
  Registration,
  ServiceData,
  Subscriber,
  SubscriberIdentity,
} from "../subscriber.ts";
import { type DecodedRecord, decodeRecord, decodeRegistration } from "../subscriber-row.ts";
import { type Row, text } from "./cql.ts";

/** A subscriber as it was read; the versions say what a change of it is based on. */
export class StoredSubscriber implements Subscriber {
  readonly impi: string;
  readonly identities: readonly SubscriberIdentity[];
  readonly credentials: Credentials;
  readonly services: ServiceData;
  readonly profile: ProfileText;
  readonly sqn: number;
  readonly registration: Registration;
  readonly recordVersion: string;
  readonly stateVersion: string;

  constructor(record: DecodedRecord, recordVersion: string, state: StoredState) {
    this.impi = record.impi;
    this.identities = record.identities;
    this.credentials = record.credentials;
    this.services = record.services;
    this.profile = record.profile;
    this.recordVersion = recordVersion;
    this.sqn = state.sqn;
    this.registration = state.registration;
    this.stateVersion = state.stateVersion;
  }
}

/** What changes with every procedure. */
export type StoredState = {
  readonly sqn: number;
  readonly registration: Registration;
  readonly stateVersion: string;
};

export function stateOf(row: Row): StoredState {
  return {
    sqn: Number.parseInt(text(row, "sqn") ?? "0", 16),
    registration: decodeRegistration(
      {
        state: text(row, "state") ?? "notRegistered",
        server_name: text(row, "server_name") ?? null,
        origin_host: text(row, "origin_host") ?? null,
        origin_realm: text(row, "origin_realm") ?? null,
      },
      row["pending"] === true,
    ),
    stateVersion: text(row, "state_version") ?? "",
  };
}

/** The record of a whole row. Throws SECRETS_UNREADABLE when it was sealed with another key. */
export function recordOf(row: Row, sealing: Sealing): DecodedRecord {
  const credentials = row["credentials"];
  return decodeRecord(
    {
      impi: text(row, "impi") ?? "",
      identities: text(row, "identities") ?? "[]",
      credentials: credentials instanceof Uint8Array ? credentials : new Uint8Array(),
      services: text(row, "services") ?? "",
    },
    sealing,
  );
}

/** SQNs are written as 48 bits in hexadecimal: what a driver makes of 64-bit numbers does not matter. */
export function sqnText(sqn: number): string {
  return sqn.toString(16).padStart(12, "0");
}
