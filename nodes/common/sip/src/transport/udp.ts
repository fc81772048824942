import { type Clock, isLoopback, type Timer } from "@ims/runtime";
import { DatagramPeers, isSamePeer } from "./datagram-peers.ts";
import type { DatagramHandler, DatagramPeer, DatagramSocket, DatagramSource } from "./datagram-socket.ts";
import { AnyFlow, addressFamily, plainAddress } from "./flow.ts";
import type { TransportLimits } from "./limits.ts";
import { localAddressTowards } from "./local-address.ts";
import { isRequest, type Standstill } from "./standstill.ts";
import { isStun, stunResponse } from "./stun.ts";
import type { SharedPort, TransportHandler } from "./transport.ts";
import type { WireAddress } from "./wire-address.ts";

// UDP payload over IPv4: 65,535 less the IP and UDP headers.
const MAX_DATAGRAM = 65_507;
// A flow is forgotten after this many sweeps without traffic.
const SWEEPS = 4;
// Looked at in one go, and the pause after that: a million takes five seconds.
const SWEEP_FLOWS = 2_000;
const SWEEP_PAUSE_MS = 10;

export interface UdpModules {
  readonly handler: TransportHandler;
  readonly clock: Clock;
  readonly openSocket: (family: 4 | 6) => DatagramSocket;
  readonly limits: TransportLimits;
  readonly standstill: Standstill;
  readonly nextId: () => number;
  readonly onFlow: (flow: UdpFlow) => void;
  readonly onFlowGone: (flow: UdpFlow) => void;
  readonly onError: (error: Error) => void;
}

/** A listener as its far ends see it: one for all flows to the same of its addresses. */
interface NearEnd {
  readonly endpoint: UdpEndpoint;
  readonly address: string;
}

/** The far end of a UDP listener: RFC 5626 §3. There may be a million: what all of them have the same is the near end's. */
export class UdpFlow extends AnyFlow implements DatagramPeer {
  readonly #near: NearEnd;
  readonly wire: WireAddress;
  /** Sweep in which there was traffic last. */
  epoch: number;

  constructor(id: number, near: NearEnd, far: DatagramPeer & { readonly remoteAddress: string }) {
    super({ id, remoteAddress: far.remoteAddress, remotePort: far.remotePort });
    this.#near = near;
    this.wire = far.wire;
    this.epoch = near.endpoint.epoch;
  }

  get side(): string {
    return this.#near.endpoint.side;
  }

  get protocol(): "UDP" {
    return "UDP";
  }

  get reliable(): boolean {
    return false;
  }

  get localAddress(): string {
    return this.#near.address;
  }

  get localPort(): number {
    return this.#near.endpoint.port;
  }

  get waitedMs(): number | undefined {
    return this.#near.endpoint.waitedMs;
  }

  send(text: string): boolean {
    if (!this.open || text.length > MAX_DATAGRAM) return false;
    const { endpoint } = this.#near;
    this.epoch = endpoint.epoch;
    return endpoint.write(text, this);
  }

  close(): void {
    if (this.markClosed()) this.#near.endpoint.forget(this);
  }
}

/** A UDP listener with its table of flows, bounded in number and in age. */
export class UdpEndpoint implements DatagramHandler {
  readonly side: string;
  readonly host: string;
  readonly family: 4 | 6;
  epoch = 0;
  #port = 0;
  readonly #modules: UdpModules;
  readonly #socket: DatagramSocket;
  readonly #flows = new DatagramPeers<UdpFlow>();
  /** Several for a listener on all interfaces only: looking its addresses up takes system calls. */
  readonly #nearEnds = new Map<string, NearEnd>();
  #lastFlow: UdpFlow | undefined;
  #sweepTimer: Timer | undefined;
  #closed = false;

  constructor(side: string, host: string, modules: UdpModules) {
    this.side = side;
    this.host = host;
    this.family = addressFamily(host) === 6 ? 6 : 4;
    this.#modules = modules;
    this.#socket = modules.openSocket(this.family);
  }

  get port(): number {
    return this.#port;
  }

  /** Of the datagram that is handled. */
  get waitedMs(): number | undefined {
    return this.#socket.waitedMs;
  }

  async bind(port: number, shared?: SharedPort): Promise<void> {
    try {
      this.#port = await this.#socket.bind(this.host, port, this, shared);
    } catch (error) {
      this.#closed = true;
      throw error;
    }
    this.#armSweep();
  }

  /** The flow to this address, made when there is none. */
  flowTo(address: string, port: number): UdpFlow {
    const plain = plainAddress(address);
    const wire = this.#socket.wire(this.#wireAddress(plain));
    const far = { wire, remoteAddress: plain, remotePort: port };
    return this.#flows.get(far) ?? this.#makeFlow(far);
  }

  /** True when the address can be reached from this socket. */
  reaches(address: string): boolean {
    const family = addressFamily(address);
    return family === this.family || (family === 4 && this.host === "::");
  }

  write(text: string, to: DatagramPeer): boolean {
    if (this.#closed) return false;
    this.#socket.sendText(text, to);
    return true;
  }

  forget(flow: UdpFlow): void {
    if (!this.#flows.delete(flow)) return;
    if (this.#lastFlow === flow) this.#lastFlow = undefined;
    this.#modules.onFlowGone(flow);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#sweepTimer?.cancel();
    for (const flow of [...this.#flows.values()]) flow.close();
    return this.#socket.close();
  }

  onText(text: string, from: DatagramSource): void {
    if (from.remotePort === 0) return; // Nobody can be answered there.
    const { standstill, clock, limits, handler } = this.#modules;
    // Who still wants it sends it again.
    if (standstill.isStale(clock.monotonic(), limits.staleMs) && isRequest(text))
      return handler.onStale?.(this.side);
    handler.onMessage(text, this.#flowFrom(from));
  }

  onBytes(bytes: Buffer, from: DatagramSource): void {
    if (from.remotePort === 0) return;
    if (isStun(bytes)) this.#onStun(bytes, from);
    else if ((bytes[0] ?? 0) <= 13 && isBlank(bytes)) this.#onKeepAlive(from);
    else this.#modules.handler.onMessage(skipLineEnds(bytes.toString("latin1")), this.#flowFrom(from));
  }

  onError(error: Error): void {
    this.#modules.onError(error);
  }

  #flowFrom(from: DatagramSource): UdpFlow {
    const last = this.#lastFlow;
    if (last !== undefined && isSamePeer(last, from)) {
      last.epoch = this.epoch;
      return last;
    }
    const flow = this.#flows.get(from) ?? this.flowTo(from.address, from.remotePort);
    flow.epoch = this.epoch;
    this.#lastFlow = flow;
    return flow;
  }

  /** As the socket writes it: an IPv6 socket speaks to IPv4 by mapped addresses. */
  #wireAddress(address: string): string {
    return this.family === 6 && addressFamily(address) === 4 ? `::ffff:${address}` : address;
  }

  #makeFlow(far: DatagramPeer & { readonly remoteAddress: string }): UdpFlow {
    if (this.#flows.size >= this.#modules.limits.maxUdpFlows) this.#makeRoom();
    const flow = new UdpFlow(this.#modules.nextId(), this.#nearEnd(far.remoteAddress), far);
    this.#flows.add(flow);
    this.#modules.onFlow(flow);
    return flow;
  }

  #nearEnd(remote: string): NearEnd {
    const isWildcard = this.host === "0.0.0.0" || this.host === "::";
    const key = isWildcard ? `${addressFamily(remote)}${isLoopback(remote)}` : "";
    let near = this.#nearEnds.get(key);
    if (near === undefined) {
      near = { endpoint: this, address: isWildcard ? localAddressTowards(this.host, remote) : this.host };
      this.#nearEnds.set(key, near);
    }
    return near;
  }

  /** Second chance: the oldest flows that are in use go to the end of the line, a few at most. */
  #makeRoom(): void {
    let chances = 8;
    for (const flow of this.#flows.values()) {
      if (chances > 0 && (flow.attachment !== undefined || flow.epoch === this.epoch)) {
        chances -= 1;
        this.#flows.delete(flow);
        this.#flows.add(flow);
        continue;
      }
      flow.close();
      return;
    }
  }

  #onStun(datagram: Buffer, from: DatagramSource): void {
    const response = stunResponse(datagram, plainAddress(from.address), from.remotePort);
    if (response === undefined || this.#closed) return;
    this.#socket.sendBytes(response, from);
    this.#onKeepAlive(from);
  }

  #onKeepAlive(from: DatagramSource): void {
    const flow = this.#flows.get(from);
    if (flow === undefined) return;
    flow.epoch = this.epoch;
    this.#modules.handler.onKeepAlive?.(flow);
  }

  #armSweep(): void {
    const { clock, limits } = this.#modules;
    this.#sweepTimer = clock.setTimer(Math.ceil(limits.udpIdleMs / SWEEPS), () => {
      this.epoch += 1;
      this.#sweep(this.#flows.values());
    });
  }

  /** A part of the flows at a time: to look at a million at once would hold everything up. */
  #sweep(flows: Iterator<UdpFlow, void>): void {
    for (let count = 0; count < SWEEP_FLOWS; count++) {
      const { value: flow } = flows.next();
      if (flow === undefined) return this.#armSweep();
      if (this.epoch - flow.epoch > SWEEPS && flow.attachment === undefined) flow.close();
    }
    this.#sweepTimer = this.#modules.clock.setTimer(SWEEP_PAUSE_MS, () => this.#sweep(flows));
  }
}

/** Only NULs and line ends: what UEs send to keep a NAT binding alive. */
function isBlank(datagram: Buffer): boolean {
  for (const byte of datagram) if (byte !== 13 && byte !== 10 && byte !== 0) return false;
  return true;
}

/** RFC 3261 §7.5. */
function skipLineEnds(text: string): string {
  let at = 0;
  while (text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10) at += 2;
  return at === 0 ? text : text.slice(at);
}
