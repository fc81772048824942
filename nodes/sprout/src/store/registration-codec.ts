import type { ProfileReader } from "../profile/profile-reader.ts";
import type { Binding, Registration } from "./registration.ts";

/**
 * One line of JSON, a line feed, then User-Data as it came: the profile is neither escaped nor scanned.
 * Short names and arrays: this is written at every registration.
 */
interface Head {
  v: 1;
  i: string;
  s: 0 | 1;
  a: number;
  h: number;
  c: readonly [readonly string[], readonly string[]] | 0;
  b: readonly BindingRow[];
}
type BindingRow = readonly [
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
];

/** What stands under a key: the set, or (for its other identities) the key of the set. */
export type StoredRegistration =
  | { readonly kind: "registration"; readonly registration: Registration }
  | { readonly kind: "alias"; readonly of: string }
  | { readonly kind: "unreadable" };

export function encodeRegistration(registration: Registration): Uint8Array {
  const head: Head = {
    v: 1,
    i: registration.impu,
    s: registration.state === "registered" ? 1 : 0,
    a: registration.aliasesUntil,
    h: registration.heldUntil,
    c: registration.charging === undefined ? 0 : [registration.charging.ecf, registration.charging.ccf],
    b: registration.bindings.map(row),
  };
  return Buffer.from(`${JSON.stringify(head)}\n${registration.profileXml}`);
}

export function encodeAlias(of: string): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, of }));
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
  let head: Partial<Head> & { of?: unknown };
  try {
    head = JSON.parse(end < 0 ? text : text.slice(0, end));
  } catch {
    return { kind: "unreadable" };
  }
  if (typeof head !== "object" || head?.v !== 1) return { kind: "unreadable" };
  if (typeof head.of === "string") return { kind: "alias", of: head.of };
  const { i, s, a, h, c, b } = head as Head;
  const profileXml = text.slice(end + 1);
  const profile = readProfile(profileXml);
  if (end < 0 || profile === undefined || typeof i !== "string" || !Array.isArray(b))
    return { kind: "unreadable" };
  return {
    kind: "registration",
    registration: {
      impu: i,
      state: s === 1 ? "registered" : "unregistered",
      bindings: b.map(bindingOf),
      charging: c === 0 ? undefined : { ecf: c[0], ccf: c[1] },
      profileXml,
      profile,
      aliasesUntil: a,
      heldUntil: h,
    },
  };
}

function row(b: Binding): BindingRow {
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
  ];
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
  };
}
