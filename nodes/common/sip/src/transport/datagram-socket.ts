import type { SharedPort } from "./transport.ts";
import type { WireAddress } from "./wire-address.ts";

/** The far end of datagrams: a flow is one, so that no object is kept beside it. */
export interface DatagramPeer {
  readonly wire: WireAddress;
  readonly remotePort: number;
}

/** The far end of a datagram that was received. Valid during the call only. */
export interface DatagramSource extends DatagramPeer {
  /** As text; an IPv4 address on an IPv6 socket is mapped. Reading it may cost. */
  readonly address: string;
}

export interface DatagramHandler {
  /** A datagram whose first octet is 0x40 or more: text. */
  onText(text: string, from: DatagramSource): void;
  /** Any other: STUN, line ends, nothing. The bytes are the handler's for the call only. */
  onBytes(bytes: Buffer, from: DatagramSource): void;
  /** Among others ICMP errors; the transaction's timer notices a dead peer. */
  onError(error: Error): void;
}

/** A UDP socket bound to one address. Two drivers: node:dgram, and recvmmsg/sendmmsg where the add-on could be built. */
export interface DatagramSocket {
  /** How long the datagram that the handler has been given waited before, ms; undefined where the driver is not told. */
  readonly waitedMs: number | undefined;
  /** The port; rejects when it cannot be had. `handler` hears from then on. */
  bind(host: string, port: number, handler: DatagramHandler, shared?: SharedPort): Promise<number>;
  /** An IP address, IPv4 mapped on an IPv6 socket. */
  wire(address: string): WireAddress;
  /** latin1 text of at most 65,507 octets; sent within this turn of the loop. */
  sendText(text: string, to: DatagramPeer): void;
  sendBytes(bytes: Uint8Array, to: DatagramPeer): void;
  close(): Promise<void>;
}

// One GC pause at 10,000 datagrams a second must fit; the kernel cuts it down to its own limit.
export const RECEIVE_BUFFER = 4_194_304;

/** First octet of what is no SIP: STUN (RFC 7983 §7) and keep-alives. */
export const FIRST_TEXT = 0x40;
