import { isIPv4, isIPv6 } from "node:net";
import type { TrailEnds } from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";
import type { Flow, TransportProtocol } from "./transport.ts";

/** What a flow is made of when it begins. Addresses without brackets. */
export interface FlowEnds {
  readonly id: number;
  readonly side: string;
  readonly protocol: TransportProtocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Far end, state and close listeners: what all flows share (RFC 5626 §3). */
export abstract class AnyFlow implements Flow {
  readonly id: number;
  abstract readonly side: string;
  abstract readonly protocol: TransportProtocol;
  abstract readonly reliable: boolean;
  abstract readonly localAddress: string;
  abstract readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  attachment: object | undefined = undefined;
  #open = true;
  #listeners: Set<(flow: Flow) => void> | undefined;

  constructor({ id, remoteAddress, remotePort }: Pick<FlowEnds, "id" | "remoteAddress" | "remotePort">) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get open(): boolean {
    return this.#open;
  }

  abstract send(text: string, message?: SipMessage): boolean;
  abstract close(): void;

  onClose(listener: (flow: Flow) => void): void {
    if (!this.#open) {
      queueMicrotask(() => listener(this));
      return;
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  offClose(listener: (flow: Flow) => void): void {
    this.#listeners?.delete(listener);
  }

  /** From open to closed, once; true the first time. */
  protected markClosed(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    queueMicrotask(() => {
      const listeners = this.#listeners;
      this.#listeners = undefined;
      if (listeners !== undefined) for (const listener of listeners) listener(this);
    });
    return true;
  }
}

/** A flow with a near end of its own. */
export abstract class BaseFlow extends AnyFlow {
  readonly side: string;
  readonly protocol: TransportProtocol;
  readonly reliable: boolean;
  localAddress: string;
  localPort: number;
  trailEnds: TrailEnds | undefined = undefined;

  constructor(ends: FlowEnds) {
    super(ends);
    this.side = ends.side;
    this.protocol = ends.protocol;
    this.reliable = ends.protocol !== "UDP";
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
  }
}

/** A flow that never was: no listener, no dialler or no room for it. Its close listeners are called like any other's. */
export class DeadFlow extends BaseFlow {
  constructor(ends: FlowEnds) {
    super(ends);
    this.markClosed();
  }

  send(): boolean {
    return false;
  }

  close(): void {}
}

/** IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) as plain IPv4, no zone, no brackets. */
export function plainAddress(address: string): string {
  if (address.startsWith("::ffff:") && isIPv4(address.slice(7))) return address.slice(7);
  if (address.startsWith("[") && address.endsWith("]")) return address.slice(1, -1);
  return address;
}

/** 4, 6, or 0 for what is no IP address. */
export function addressFamily(address: string): 0 | 4 | 6 {
  if (isIPv4(address)) return 4;
  return isIPv6(address) ? 6 : 0;
}
