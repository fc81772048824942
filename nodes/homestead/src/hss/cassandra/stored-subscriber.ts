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
import { Subscription } from "../subscription.ts";
import { type DecodedParts, decodeParts } from "../subscription-row.ts";
import { decodeState, NO_STATE, type SubscriptionState } from "../subscription-state.ts";
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

/** The same of a subscription with several parts. */
export class StoredSubscription extends Subscription {
  readonly recordVersion: string;
  readonly stateVersion: string;

  constructor(parts: DecodedParts, recordVersion: string, state: SubscriptionState, stateVersion: string) {
    super(parts, state);
    this.recordVersion = recordVersion;
    this.stateVersion = stateVersion;
  }
}

export type StoredRow = StoredSubscriber | StoredSubscription;

/** The row that a subscriber was given out of. Throws TypeError for one of another repository. */
export function rowOf(subscriber: Subscriber): StoredRow {
  const row = subscriber.part?.subscription ?? subscriber;
  if (row instanceof StoredSubscriber || row instanceof StoredSubscription) return row;
  throw new TypeError("a subscriber of another repository");
}

/** What is provisioned, with the state that a row holds. */
export function storedRow(record: DecodedRecord | DecodedParts, version: string, row: Row): StoredRow {
  if (!("key" in record)) return new StoredSubscriber(record, version, stateOf(row));
  const { registration, stateVersion } = stateOf(row);
  const { serverName, originHost, originRealm } = registration;
  const server = serverName === undefined ? undefined : { serverName, originHost, originRealm };
  const states = text(row, "states");
  const state = states === undefined ? NO_STATE : decodeState(states, server);
  return new StoredSubscription(record, version, state, stateVersion);
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
export function recordOf(row: Row, sealing: Sealing): DecodedRecord | DecodedParts {
  const credentials = row["credentials"];
  const parts = text(row, "parts");
  if (parts !== undefined) {
    const sealed = credentials instanceof Uint8Array ? credentials : new Uint8Array();
    return decodeParts({ impi: text(row, "impi") ?? "", credentials: sealed, parts }, sealing);
  }
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
