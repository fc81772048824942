import { createHmac, createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import type { Flow, TransportLayer, TransportProtocol } from "@ims/sip";

/** What a flow token leads to: RFC 5626 §5.3. */
export type FlowLookup =
  | { readonly kind: "flow"; readonly flow: Flow }
  /** Signed by the pool, but its connection is no more or belongs to another member: 430. */
  | { readonly kind: "gone" }
  /** Not signed with the key of the pool: 403. */
  | { readonly kind: "forged" };

const PROTOCOLS: readonly TransportProtocol[] = ["UDP", "TCP", "TLS", "WS", "WSS"];
const VERSION = 0x10;
const MAC_BYTES = 12;
const INSTANCE_BYTES = 6;
const MARK_LENGTH = 11;
const OWNER_LENGTH = 8;
/** Octets of the fields before the MAC, by what they describe. */
const UDP4_BYTES = 9;
const UDP6_BYTES = 21;
const STREAM_BYTES = 1 + INSTANCE_BYTES + 6;
const TOKEN = /^[A-Za-z0-9_-]{28,44}$/;

export interface FlowTokensModules {
  /** Shared by the pool of P-CSCFs. At least 128 bits. */
  readonly key: KeyObject;
  readonly transport: () => Pick<TransportLayer, "flow" | "udpFlow">;
  readonly side: string;
}

/** The signing key from its option text (hex or base64, at least 16 octets), or a fresh one. Undefined when too short. */
export function flowTokenKey(text: string | undefined): KeyObject | undefined {
  if (text === undefined) return createSecretKey(randomBytes(32));
  const octets = Buffer.from(text, /^[0-9a-f]+$/i.test(text) && text.length % 2 === 0 ? "hex" : "base64");
  return octets.length < 16 ? undefined : createSecretKey(octets);
}

/**
 * Signed flow tokens (RFC 5626 §5.2, algorithm of our own): the user part of Path and Record-Route. A UDP token holds the
 * addresses and means the same to every member of the pool, also after a restart; a stream token names the connection of
 * one process.
 */
export class FlowTokens {
  readonly #key: KeyObject;
  readonly #markKey: string;
  readonly #instance = randomBytes(INSTANCE_BYTES);
  readonly #transport: () => Pick<TransportLayer, "flow" | "udpFlow">;
  readonly #side: string;

  constructor({ key, transport, side }: FlowTokensModules) {
    this.#key = key;
    this.#markKey = createHmac("sha256", key).update("dialog mark").digest("base64url");
    this.#transport = transport;
    this.#side = side;
  }

  /** The token of a flow; costs an HMAC, so callers keep it with the flow. */
  issue(flow: Flow): string {
    const fields = flow.protocol === "UDP" ? datagramFields(flow) : this.#streamFields(flow);
    return Buffer.concat([fields, this.#mac(fields)]).toString("base64url");
  }

  resolve(token: string): FlowLookup {
    const fields = this.#verified(token);
    if (fields === undefined) return { kind: "forged" };
    const flow = fields[0] === VERSION ? this.#datagramFlow(fields) : this.#streamFlow(fields);
    return flow?.open ? { kind: "flow", flow } : { kind: "gone" };
  }

  /**
   * Ties a Record-Route to its dialog and to the way behind it: nobody can use his own Record-Route for another dialog, nor
   * to send requests elsewhere. A hash of key, text, key: half the cost of an HMAC, and cut to 66 bits, so that nothing can
   * be appended.
   */
  mark(token: string, callId: string, routeSet: string): string {
    const text = `${this.#markKey}${token}\n${callId}\n${routeSet}${this.#markKey}`;
    return hash("sha256", text, "base64url").slice(0, MARK_LENGTH);
  }

  isMark(mark: string, token: string, callId: string, routeSet: string): boolean {
    if (mark.length !== MARK_LENGTH) return false;
    const expected = this.mark(token, callId, routeSet);
    return timingSafeEqual(Buffer.from(mark, "latin1"), Buffer.from(expected, "latin1"));
  }

  /**
   * Stands for a UE: the same on every flow and at every member of the pool. Tells nothing about it, and alone opens nothing:
   * the mark of a dialog covers it.
   */
  owner(impi: string, instance: string): string {
    const text = `${this.#markKey}owner\n${impi}\n${instance}${this.#markKey}`;
    return hash("sha256", text, "base64url").slice(0, OWNER_LENGTH);
  }

  #mac(fields: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(fields).digest().subarray(0, MAC_BYTES);
  }

  #verified(token: string): Buffer | undefined {
    if (!TOKEN.test(token)) return undefined;
    const octets = Buffer.from(token, "base64url");
    // One spelling per token: spare bits of the last character are zero.
    if (octets.toString("base64url") !== token) return undefined;
    const length = octets.length - MAC_BYTES;
    if (length !== UDP4_BYTES && length !== UDP6_BYTES && length !== STREAM_BYTES) return undefined;
    const fields = octets.subarray(0, length);
    return timingSafeEqual(octets.subarray(length), this.#mac(fields)) ? fields : undefined;
  }

  #streamFields(flow: Flow): Buffer {
    const fields = Buffer.alloc(STREAM_BYTES);
    fields[0] = VERSION | Math.max(0, PROTOCOLS.indexOf(flow.protocol));
    this.#instance.copy(fields, 1);
    fields.writeUIntBE(flow.id, 1 + INSTANCE_BYTES, 6);
    return fields;
  }

  #streamFlow(fields: Buffer): Flow | undefined {
    if (fields.length !== STREAM_BYTES) return undefined;
    if (!this.#instance.equals(fields.subarray(1, 1 + INSTANCE_BYTES))) return undefined;
    const flow = this.#transport().flow(fields.readUIntBE(1 + INSTANCE_BYTES, 6));
    if (flow?.side !== this.#side) return undefined;
    return flow.protocol === PROTOCOLS[(fields[0] ?? 0) & 0x0f] ? flow : undefined;
  }

  #datagramFlow(fields: Buffer): Flow | undefined {
    const address = addressText(fields.subarray(5));
    if (address === undefined) return undefined;
    return this.#transport().udpFlow(this.#side, fields.readUInt16BE(1), address, fields.readUInt16BE(3));
  }
}

function datagramFields(flow: Flow): Buffer {
  const head = Buffer.alloc(5);
  head[0] = VERSION;
  head.writeUInt16BE(flow.localPort, 1);
  head.writeUInt16BE(flow.remotePort, 3);
  return Buffer.concat([head, addressOctets(flow.remoteAddress)]);
}

function addressOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [before = "", after] = address.replace(/%.*$/, "").split("::");
  const left = groups(before);
  const right = groups(after ?? "");
  const zeros = new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0);
  const all = [...left, ...(after === undefined ? [] : zeros), ...right].slice(0, 8);
  const octets = Buffer.alloc(16);
  for (const [index, group] of all.entries()) octets.writeUInt16BE(group, index * 2);
  return octets;
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16) & 0xffff);
}

/** In the spelling that Node gives remote addresses (RFC 5952). */
function addressText(octets: Buffer): string | undefined {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) return undefined;
  const hex: string[] = [];
  for (let at = 0; at < 16; at += 2) hex.push(octets.readUInt16BE(at).toString(16));
  const address = new URL(`http://[${hex.join(":")}]/`).hostname.slice(1, -1);
  return isIPv6(address) ? address : undefined;
}
