import type { Oid } from "./oid.ts";

/** RFC 2741 §5.4: what is told, or why nothing is. */
export type Value =
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "octets"; readonly value: Uint8Array }
  | { readonly type: "oid"; readonly value: Oid }
  | { readonly type: "counter32" | "gauge32" | "timeTicks"; readonly value: number }
  | { readonly type: "null" | "noSuchObject" | "noSuchInstance" | "endOfMibView" };

export interface VarBind {
  readonly name: Oid;
  readonly value: Value;
}

/** RFC 2741 §5.4, v.type. */
export const VALUE_TYPES = {
  integer: 2,
  octets: 4,
  null: 5,
  oid: 6,
  counter32: 65,
  gauge32: 66,
  timeTicks: 67,
  noSuchObject: 128,
  noSuchInstance: 129,
  endOfMibView: 130,
} as const satisfies Record<Value["type"], number>;

export function octets(text: string): Value {
  return { type: "octets", value: Buffer.from(text, "utf8") };
}
