import type { ProfileReader } from "../profile/profile-reader.ts";
import type { DurableRow, PartitionWrite } from "./durable-registrations.ts";
import type { Binding, Registration } from "./registration.ts";
import {
  bindingOfRow,
  chargingOf,
  endedOf,
  isNewer,
  rowOf,
  siteOf,
  stateNumber,
  stateOf,
} from "./registration-codec.ts";
import { type Subscription, subscriptionName, subscriptionOfRow, subscriptionRow } from "./subscription.ts";

/**
 * Rows of a set, under its key:
 *   head            {v,s,a,h,c,g,z}, a line feed, User-Data; or {v,x:1}: deregistered
 *   b LF impi LF key   [v, then the binding as in the working copy]
 *   s LF Call-ID LF tags   [v, then the subscription as in the working copy]
 * and elsewhere
 *   alias           {v,of}: the identity belongs to that set
 *   <key of a set>  under "impi:" and a private identity: it is registered with that set
 */
const HEAD = "head";
const ALIAS = "alias";
const BINDING = "b\n";
const SUBSCRIPTION = "s\n";

/** Kept past the last expiry: who catches up after an outage must find what lapsed meanwhile, and its profile. */
const KEEP_SECONDS = 90_000;
/** How long it is kept that a set has gone: longer than any write takes, or any clock is off. */
const GONE_SECONDS = 7_200;

/** What the durable rows of an identity say. */
export type DurableSet =
  | { readonly kind: "registration"; readonly registration: Registration; readonly stamp: number }
  | { readonly kind: "alias"; readonly of: string; readonly stamp: number }
  | { readonly kind: "none"; readonly stamp: number }
  | { readonly kind: "newer" }
  | { readonly kind: "unreadable" };

/** What becomes of a set. */
export interface SetChange {
  readonly key: string;
  /** Undefined: it is not known, or everything is to be written. */
  readonly before: Registration | undefined;
  /** Undefined: it goes. */
  readonly after: Registration | undefined;
  readonly stamp: number;
  /**
   * Everything is written, and what else stood there at this stamp goes: that of the state the change was made on. What others
   * have written since, past it, stays.
   */
  readonly full: number | undefined;
  /** Head, aliases and private identities are written for a new period. */
  readonly renew: boolean;
  readonly now: number;
}

/** The rows to write for a change; the set itself is the last one. */
export function rowsFor(change: SetChange): PartitionWrite[] {
  const { key, before, after, stamp, full, renew, now } = change;
  if (after === undefined) {
    const gone = { item: HEAD, value: Buffer.from('{"v":1,"x":1}'), ttlSeconds: GONE_SECONDS };
    return [{ partition: key, stamp, puts: [gone], removes: [], clearedTo: stamp - 1 }];
  }
  const writes: PartitionWrite[] = [];
  const puts: { item: string; value: Uint8Array; ttlSeconds: number }[] = [];
  const lifetime = (until: number): number => Math.ceil(Math.max(0, until - now) / 1000) + KEEP_SECONDS;
  const headTtl = lifetime(Math.max(after.aliasesUntil, after.heldUntil));
  const isFull = full !== undefined;
  if (isFull || renew) {
    const elsewhere = (partition: string, item: string, value: string): void => {
      const put = { item, value: Buffer.from(value), ttlSeconds: headTtl };
      writes.push({ partition, stamp, puts: [put], removes: [], clearedTo: undefined });
    };
    for (const { canonical } of after.profile.members)
      if (canonical !== key) elsewhere(canonical, ALIAS, JSON.stringify({ v: 1, of: key }));
    for (const impi of new Set(after.bindings.map(({ impi }) => impi)))
      if (`sip:${impi}` !== key) elsewhere(`impi:${impi}`, key, '{"v":1}');
  }
  if (isFull || renew || before === undefined || !sameHead(before, after))
    puts.push({ item: HEAD, value: Buffer.from(headOf(after)), ttlSeconds: headTtl });
  const known = new Map<string, Binding>();
  if (!isFull && before !== undefined) for (const one of before.bindings) known.set(itemOf(one), one);
  for (const binding of after.bindings) {
    const item = itemOf(binding);
    if (known.get(item) !== binding)
      puts.push({
        item,
        value: Buffer.from(JSON.stringify([1, ...rowOf(binding)])),
        ttlSeconds: lifetime(binding.expiresAt),
      });
    known.delete(item);
  }
  const removes = [...known.keys()];
  if (after.subscriptions.length > 0 || (before?.subscriptions.length ?? 0) > 0)
    writeSubscriptions(change, after, { puts, removes });
  writes.push({ partition: key, stamp, puts, removes, clearedTo: full });
  return writes;
}

function writeSubscriptions(
  { before, full, now }: SetChange,
  after: Registration,
  rows: { puts: { item: string; value: Uint8Array; ttlSeconds: number }[]; removes: string[] },
): void {
  const known = new Map<string, Subscription>();
  if (full === undefined && before !== undefined)
    for (const one of before.subscriptions) known.set(SUBSCRIPTION + subscriptionName(one), one);
  for (const one of after.subscriptions) {
    const item = SUBSCRIPTION + subscriptionName(one);
    if (known.get(item) !== one)
      rows.puts.push({
        item,
        value: Buffer.from(JSON.stringify([1, ...subscriptionRow(one)])),
        ttlSeconds: Math.ceil(Math.max(0, one.expiresAt - now) / 1000) + KEEP_SECONDS,
      });
    known.delete(item);
  }
  rows.removes.push(...known.keys());
}

/** Reads rows of a partition named by an identity. */
export function setOf(rows: readonly DurableRow[], key: string, readProfile: ProfileReader): DurableSet {
  let stamp = 0;
  let head: { row: DurableRow; read: Head } | undefined;
  let alias: { of: string; stamp: number } | undefined;
  const bindings: Binding[] = [];
  const subscriptions: Subscription[] = [];
  for (const row of rows) {
    if (row.stamp > stamp) stamp = row.stamp;
    if (row.item === HEAD) {
      const read = readHead(row.value);
      if (read === "newer" || read === "unreadable") return { kind: read };
      head = { row, read };
    } else if (row.item === ALIAS) {
      const of = readAlias(row.value);
      if (of === "newer" || of === "unreadable") return { kind: of };
      alias = { of: of.of, stamp: row.stamp };
    } else if (row.item.startsWith(BINDING)) {
      const binding = readBinding(row.value);
      if (binding === "newer" || binding === "unreadable") return { kind: binding };
      bindings.push(binding);
    } else if (row.item.startsWith(SUBSCRIPTION)) {
      const subscription = readSubscription(row.value);
      if (subscription === "newer" || subscription === "unreadable") return { kind: subscription };
      subscriptions.push(subscription);
    } else return { kind: "newer" };
  }
  if (alias !== undefined && alias.stamp > (head?.row.stamp ?? 0))
    return { kind: "alias", of: alias.of, stamp: alias.stamp };
  // Bindings without their head were written by somebody who did not know that the set had gone.
  if (head === undefined || head.read.xml === undefined) return { kind: "none", stamp };
  const profile = readProfile(head.read.xml);
  if (profile === undefined) return { kind: "unreadable" };
  const { charging, state, aliasesUntil, heldUntil, xml, ended, site } = head.read;
  const registration = {
    impu: key,
    state,
    bindings,
    charging,
    profileXml: xml,
    profile,
    aliasesUntil,
    heldUntil,
    subscriptions,
    ...(ended === undefined ? {} : { ended }),
    ...(site === undefined ? {} : { site }),
  };
  return { kind: "registration", registration, stamp };
}

/** Keys of sets among the rows of a private identity. */
export function setKeysOf(rows: readonly DurableRow[]): string[] {
  return rows.map(({ item }) => item);
}

function itemOf({ impi, key }: Binding): string {
  return `${BINDING}${impi}\n${key}`;
}

function sameHead(a: Registration, b: Registration): boolean {
  return (
    a.profileXml === b.profileXml &&
    a.state === b.state &&
    a.heldUntil === b.heldUntil &&
    a.ended === b.ended &&
    a.site === b.site &&
    (a.charging === b.charging || JSON.stringify(a.charging) === JSON.stringify(b.charging))
  );
}

function headOf({ state, aliasesUntil, heldUntil, charging, profileXml, ended, site }: Registration): string {
  const head = {
    v: 1,
    s: stateNumber(state),
    a: aliasesUntil,
    h: heldUntil,
    c: charging === undefined ? 0 : [charging.ecf, charging.ccf],
    ...(ended === undefined ? undefined : { g: ended }),
    ...(site === undefined ? undefined : { z: site }),
  };
  return `${JSON.stringify(head)}\n${profileXml}`;
}

type Head = Pick<Registration, "state" | "aliasesUntil" | "heldUntil" | "charging" | "ended" | "site"> & {
  /** Undefined: deregistered. */
  readonly xml: string | undefined;
};

function readHead(value: Uint8Array): Head | "newer" | "unreadable" {
  const text = textOf(value);
  const end = text.indexOf("\n");
  const head = parsed(end < 0 ? text : text.slice(0, end));
  if (typeof head !== "object" || head === null) return "unreadable";
  const { v, x, s, a, h, c, g, z } = head as Record<string, unknown>;
  if (isNewer(v)) return "newer";
  const charging = x === 1 ? undefined : chargingOf(c);
  if (v !== 1 || charging === "malformed" || (x !== 1 && end < 0)) return "unreadable";
  return {
    state: stateOf(s),
    aliasesUntil: Number(a) || 0,
    heldUntil: Number(h) || 0,
    charging,
    ...endedOf(g),
    ...siteOf(z),
    xml: x === 1 ? undefined : text.slice(end + 1),
  };
}

function readAlias(value: Uint8Array): { of: string } | "newer" | "unreadable" {
  const alias = parsed(textOf(value));
  if (typeof alias !== "object" || alias === null) return "unreadable";
  const { v, of } = alias as { v?: unknown; of?: unknown };
  if (isNewer(v)) return "newer";
  return v === 1 && typeof of === "string" ? { of } : "unreadable";
}

function readBinding(value: Uint8Array): Binding | "newer" | "unreadable" {
  const row = parsed(textOf(value));
  if (!Array.isArray(row)) return "unreadable";
  if (isNewer(row[0])) return "newer";
  return (row[0] === 1 ? bindingOfRow(row.slice(1)) : undefined) ?? "unreadable";
}

function readSubscription(value: Uint8Array): Subscription | "newer" | "unreadable" {
  const row = parsed(textOf(value));
  if (!Array.isArray(row)) return "unreadable";
  if (isNewer(row[0])) return "newer";
  return (row[0] === 1 ? subscriptionOfRow(row.slice(1)) : undefined) ?? "unreadable";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
}
