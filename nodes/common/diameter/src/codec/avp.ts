/** AVP definitions: RFC 6733 §4.1 to §4.5. Data only; types of values follow from them. */

/** What a value of each data format is in the program (RFC 6733 §4.2, §4.3). */
export interface FormatValue {
  OctetString: Uint8Array;
  /** OctetString on the wire, but the specification fills it with text: UTF-8 here, bytes that are not become U+FFFD. */
  OctetText: string;
  UTF8String: string;
  DiameterIdentity: string;
  DiameterURI: string;
  IPFilterRule: string;
  Integer32: number;
  Unsigned32: number;
  Integer64: bigint;
  Unsigned64: bigint;
  Float32: number;
  Float64: number;
  Enumerated: number;
  /** IPv4 or IPv6 in text form. Other address families are refused (5004). */
  Address: string;
  /** Seconds resolution; RFC 6733 §4.3.1 with the wrap of 2036. */
  Time: Date;
  Grouped: object;
}
export type Format = keyof FormatValue;

/** Vendor-Id 10415. */
export const THREE_GPP = 10415;

export const AvpFlag = { vendor: 0x80, mandatory: 0x40, protected: 0x20, reserved: 0x1f } as const;

/** One AVP of the dictionary. `Value` is only in the type. */
export interface Avp<Value = unknown> {
  readonly name: string;
  readonly code: number;
  /** 0 for the IETF. */
  readonly vendorId: number;
  /** The flags octet this node sends. */
  readonly flags: number;
  readonly format: Format;
  /** Enumerated: the values this node understands; a request with another one is refused with 5004. */
  readonly values?: ReadonlySet<number>;
  /** Grouped: what is inside. */
  readonly members?: Members;
  readonly value?: Value;
}

/** How often an AVP occurs in its command or group (RFC 6733 §3.2: `{ }`, `[ ]`, `* [ ]`, `1* { }`). */
export type Occurrence = "required" | "optional" | "many" | "some";
export interface Member<Value = unknown, O extends Occurrence = Occurrence> {
  readonly avp: Avp<Value>;
  readonly occurrence: O;
}
export type Members = Readonly<Record<string, Member>>;

type ValueOf<M> = M extends Member<infer V, infer O> ? (O extends "many" | "some" ? readonly V[] : V) : never;
type KeysOf<M extends Members, O extends Occurrence> = {
  [K in keyof M]: M[K] extends Member<unknown, infer P> ? (P extends O ? K : never) : never;
}[keyof M];
type Flat<T> = { [K in keyof T]: T[K] };

/** The flat, typed value of a group or command. */
export type ValuesOf<M extends Members> = Flat<
  { readonly [K in KeysOf<M, "required" | "some">]: ValueOf<M[K]> } & {
    readonly [K in KeysOf<M, "optional" | "many">]?: ValueOf<M[K]> | undefined;
  }
>;

/** M bit: `"M"` is set, `""` is clear. */
export type MandatoryBit = "M" | "";

function flagsOf(vendorId: number, mandatory: MandatoryBit): number {
  return (vendorId === 0 ? 0 : AvpFlag.vendor) | (mandatory === "M" ? AvpFlag.mandatory : 0);
}

/** An AVP of a basic or derived format. */
export function avp<F extends Exclude<Format, "Grouped" | "Enumerated">>(
  name: string,
  code: number,
  format: F,
  vendorId = 0,
  mandatory: MandatoryBit = "M",
): Avp<FormatValue[F]> {
  return { name, code, vendorId, flags: flagsOf(vendorId, mandatory), format };
}

/** An Enumerated AVP; `values` is an `as const` object with the names of its clause. */
export function enumerated<const V extends Readonly<Record<string, number>>>(
  name: string,
  code: number,
  values: V,
  vendorId = 0,
  mandatory: MandatoryBit = "M",
): Avp<V[keyof V]> {
  const flags = flagsOf(vendorId, mandatory);
  return { name, code, vendorId, flags, format: "Enumerated", values: new Set(Object.values(values)) };
}

/** A Grouped AVP (RFC 6733 §4.4). Groups cannot contain themselves, so the dictionary bounds the depth of nesting. */
export function grouped<const M extends Members>(
  name: string,
  code: number,
  members: M,
  vendorId = 0,
  mandatory: MandatoryBit = "M",
): Avp<ValuesOf<M>> {
  return { name, code, vendorId, flags: flagsOf(vendorId, mandatory), format: "Grouped", members };
}

/** `{ AVP }`: exactly once. */
export function required<V>(definition: Avp<V>): Member<V, "required"> {
  return { avp: definition, occurrence: "required" };
}

/** `[ AVP ]`: at most once. */
export function optional<V>(definition: Avp<V>): Member<V, "optional"> {
  return { avp: definition, occurrence: "optional" };
}

/** `* [ AVP ]`: any number; absent rather than empty. */
export function many<V>(definition: Avp<V>): Member<V, "many"> {
  return { avp: definition, occurrence: "many" };
}

/** `1* { AVP }`: at least once. */
export function some<V>(definition: Avp<V>): Member<V, "some"> {
  return { avp: definition, occurrence: "some" };
}
