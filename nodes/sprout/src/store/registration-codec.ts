import { CONTACT_EVENTS, type ContactEvent } from "@ims/ims";
import type { ChargingAddresses } from "../cx/cx.ts";
import type { ProfileReader } from "../profile/profile-reader.ts";
import type { Binding, Registration } from "./registration.ts";
import { type RemovedContact, type RemovedRow, removedOfRows, removedRow } from "./removed-contact.ts";
import {
  NO_SUBSCRIPTIONS,
  type Subscription,
  type SubscriptionRow,
  subscriptionOfRow,
  subscriptionRow,
} from "./subscription.ts";

/**
 * One line of JSON, a line feed, then User-Data as it came: the profile is neither escaped nor scanned.
 * Short names and arrays: this is written at every registration.
 */
interface Head {
  v: 1;
  i: string;
  s: StateNumber;
  a: number;
  h: number;
  c: readonly [readonly string[], readonly string[]] | 0;
  b: readonly BindingRow[];
  /** Subscriptions, when there are any; why a terminated set has ended. */
  w?: readonly SubscriptionRow[];
  g?: ContactEvent;
  /** Site of the last change, where there are two. */
  z?: string;
  /** Beside a durable copy: stamp, when the calendar has the set, what the durable copy lacks. */
  t?: number;
  e?: number;
  n?: 1 | 2;
  /** Contacts removed lately, when there are any. */
  r?: readonly RemovedRow[];
}

/** What the working copy knows beside the set: about its durable twin (all of it is 0 where there is none), and of what was removed. */
export interface WriteMeta {
  /** Microseconds since the epoch; grows with each change of the set. */
  readonly stamp: number;
  /** The calendar has an entry of the set at that time (ms since the epoch) or before; 0 when that is not known. */
  readonly calendarAt: number;
  /**
   * What was written while the durable copy was away: 1, it lacks changes of this one; 2, this one was moreover begun
   * without knowing what is there.
   */
  readonly behind: 0 | 1 | 2;
  /** Contacts removed lately; undefined: none. The durable rows do not have them. */
  readonly removed?: readonly RemovedContact[];
}

export const NO_META: WriteMeta = { stamp: 0, calendarAt: 0, behind: 0 };

/** Highest version of the format that this release reads. */
const VERSION = 1;

export type BindingRow = readonly [
  contact: string,
  key: string,
  impi: string,
  callId: string,
  cseq: number,
  expiresAt: number,
  refreshedAt: number,
  q: number,
  path: readonly string[],
  instance: string,
  regId: number,
  parameters: string,
  gruu: 0 | 1,
  gruuSince: number,
  gruuCseq: number,
  /** "": the identity that the private identity implies. */
  registered: string,
];

export type StateNumber = 0 | 1 | 2;
const STATES = ["unregistered", "registered", "terminated"] as const;

export function stateNumber(state: Registration["state"]): StateNumber {
  return STATES.indexOf(state) as StateNumber;
}

export function stateOf(number: unknown): Registration["state"] {
  return STATES[Number(number)] ?? "unregistered";
}

/** Why a set has ended, as far as that can be read. */
export function endedOf(event: unknown): { readonly ended?: ContactEvent } {
  const ended = CONTACT_EVENTS.find((one) => one === event);
  return ended === undefined ? {} : { ended };
}

/** The site of the last change, where one is named. */
export function siteOf(site: unknown): { readonly site?: string } {
  return typeof site === "string" && site !== "" ? { site } : {};
}

/** What stands under a key: the set, or (for its other identities) the key of the set. */
export type StoredRegistration =
  | { readonly kind: "registration"; readonly registration: Registration; readonly meta: WriteMeta }
  | { readonly kind: "alias"; readonly of: string }
  /** It is known that there is no registration. */
  | { readonly kind: "none"; readonly meta: WriteMeta }
  /** Written by a later release: it is left as it is. */
  | { readonly kind: "newer" }
  | { readonly kind: "unreadable" };

export function encodeRegistration(registration: Registration, meta: WriteMeta = NO_META): Uint8Array {
  const head: Head = {
    v: 1,
    i: registration.impu,
    s: stateNumber(registration.state),
    a: registration.aliasesUntil,
    h: registration.heldUntil,
    c: registration.charging === undefined ? 0 : [registration.charging.ecf, registration.charging.ccf],
    b: registration.bindings.map(rowOf),
    ...(registration.subscriptions.length === 0
      ? undefined
      : { w: registration.subscriptions.map(subscriptionRow) }),
    ...(registration.ended === undefined ? undefined : { g: registration.ended }),
    ...(registration.site === undefined ? undefined : { z: registration.site }),
    ...(meta === NO_META ? undefined : metaFields(meta)),
  };
  return Buffer.from(`${JSON.stringify(head)}\n${registration.profileXml}`);
}

export function encodeAlias(of: string): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, of }));
}

export function encodeNone(meta: WriteMeta): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, x: 1, ...metaFields(meta) }));
}

function metaFields({ stamp, calendarAt, behind, removed }: WriteMeta): MetaFields {
  const fields: MetaFields = { t: stamp, e: calendarAt };
  if (behind !== 0) fields.n = behind;
  if (removed !== undefined) fields.r = removed.map(removedRow);
  return fields;
}

function metaOf({ t, e, n, r }: Partial<MetaFields>): WriteMeta {
  if (t === undefined && n === undefined) return NO_META;
  const meta = { stamp: t ?? 0, calendarAt: e ?? 0, behind: n === 1 || n === 2 ? n : 0 } as const;
  const removed = r === undefined ? undefined : removedOfRows(r);
  return removed === undefined ? meta : { ...meta, removed };
}

type MetaFields = Pick<Head, "t" | "e" | "n" | "r">;

/** Whether a value says that it is of a format this release does not know. */
export function isNewer(version: unknown): boolean {
  return typeof version === "number" && version > VERSION;
}

/** Whether a value is of a later release: it must not be overwritten. */
export function isNewerValue(value: Uint8Array): boolean {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  const end = text.indexOf("\n");
  try {
    return isNewer((JSON.parse(end < 0 ? text : text.slice(0, end)) as { v?: unknown } | null)?.v);
  } catch {
    return false;
  }
}

/** Keys of the sets of one IMPI. */
export function encodeSets(keys: ReadonlySet<string>): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, sets: [...keys] }));
}

/** Empty when unreadable. */
export function decodeSets(value: Uint8Array): readonly string[] {
  try {
    const { v, sets }: { v?: unknown; sets?: unknown } = JSON.parse(Buffer.from(value).toString());
    return v === 1 && Array.isArray(sets) ? sets.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}

export function decodeRegistration(value: Uint8Array, readProfile: ProfileReader): StoredRegistration {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  const end = text.indexOf("\n");
  let head: Partial<Head> & { of?: unknown; x?: unknown };
  try {
    head = JSON.parse(end < 0 ? text : text.slice(0, end));
  } catch {
    return { kind: "unreadable" };
  }
  if (typeof head !== "object" || head === null) return { kind: "unreadable" };
  if (isNewer(head.v)) return { kind: "newer" };
  if (head.v !== 1) return { kind: "unreadable" };
  if (head.x === 1) return { kind: "none", meta: metaOf(head) };
  if (typeof head.of === "string") return { kind: "alias", of: head.of };
  const { i, s, a, h, c, b, w, g, z } = head as Head;
  const profileXml = text.slice(end + 1);
  if (end < 0 || typeof i !== "string" || !Array.isArray(b)) return { kind: "unreadable" };
  const profile = readProfile(profileXml);
  const bindings: Binding[] = [];
  for (const row of b) {
    const binding = bindingOfRow(row);
    if (binding === undefined) return { kind: "unreadable" };
    bindings.push(binding);
  }
  const charging = chargingOf(c);
  const subscriptions = w === undefined ? NO_SUBSCRIPTIONS : subscriptionsOf(w);
  if (profile === undefined || charging === "malformed" || subscriptions === undefined)
    return { kind: "unreadable" };
  return {
    kind: "registration",
    registration: {
      impu: i,
      state: stateOf(s),
      bindings,
      charging,
      profileXml,
      profile,
      aliasesUntil: Number(a) || 0,
      heldUntil: Number(h) || 0,
      subscriptions,
      ...endedOf(g),
      ...siteOf(z),
    },
    meta: metaOf(head),
  };
}

function subscriptionsOf(rows: unknown): readonly Subscription[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const subscriptions: Subscription[] = [];
  for (const row of rows) {
    const one = subscriptionOfRow(row);
    if (one === undefined) return undefined;
    subscriptions.push(one);
  }
  return subscriptions;
}

/** [ecf, ccf], or 0 for none. */
export function chargingOf(c: unknown): ChargingAddresses | undefined | "malformed" {
  if (c === 0) return undefined;
  if (!Array.isArray(c) || !Array.isArray(c[0]) || !Array.isArray(c[1])) return "malformed";
  return { ecf: c[0], ccf: c[1] };
}

/** A binding as a row of values. */
export function rowOf(b: Binding): BindingRow {
  return [
    b.contact,
    b.key === b.contact ? "" : b.key,
    b.impi,
    b.callId,
    b.cseq,
    b.expiresAt,
    b.refreshedAt,
    b.q,
    b.path,
    b.instance,
    b.regId,
    b.parameters,
    b.gruu ? 1 : 0,
    b.gruuSince,
    b.gruuCseq,
    b.registered === `sip:${b.impi}` ? "" : b.registered,
  ];
}

/** The binding that a row stands for; undefined when it is none. */
export function bindingOfRow(row: unknown): Binding | undefined {
  if (!Array.isArray(row) || row.length < 14) return undefined;
  const [contact, key, impi, callId, cseq, expiresAt, , , path] = row;
  // A release without GRUU numbers and explicit identities has written fourteen.
  const registered: unknown = row[15] ?? "";
  const sound =
    [contact, key, impi, callId, registered].every((text) => typeof text === "string") &&
    Number.isFinite(cseq) &&
    Number.isFinite(expiresAt) &&
    Array.isArray(path);
  return sound ? bindingOf(row as unknown as BindingRow) : undefined;
}

function bindingOf(r: BindingRow): Binding {
  return {
    contact: r[0],
    key: r[1] === "" ? r[0] : r[1],
    impi: r[2],
    callId: r[3],
    cseq: r[4],
    expiresAt: r[5],
    refreshedAt: r[6],
    q: r[7],
    path: r[8],
    instance: r[9],
    regId: r[10],
    parameters: r[11],
    gruu: r[12] === 1,
    gruuSince: r[13],
    gruuCseq: r[14] ?? r[4],
    registered: (r[15] ?? "") === "" ? `sip:${r[2]}` : r[15],
  };
}
