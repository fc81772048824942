import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Clock, Timer } from "@ims/runtime";
import { addressFamily, BaseFlow, type FlowEnds, plainAddress } from "./flow.ts";
import type { TransportLimits } from "./limits.ts";
import { isLoopback, localAddressTowards } from "./local-address.ts";
import { isStun, stunResponse } from "./stun.ts";
import type { TransportHandler } from "./transport.ts";

// UDP payload over IPv4: 65,535 less the IP and UDP headers.
const MAX_DATAGRAM = 65_507;
// One GC pause at 10,000 datagrams a second must fit; the kernel cuts it down to its own limit.
const RECEIVE_BUFFER = 4_194_304;
// A flow is forgotten after this many sweeps without traffic.
const SWEEPS = 4;

export interface UdpModules {
  readonly handler: TransportHandler;
  readonly clock: Clock;
  readonly limits: TransportLimits;
  readonly nextId: () => number;
  readonly onFlow: (flow: UdpFlow) => void;
  readonly onFlowGone: (flow: UdpFlow) => void;
  readonly onError: (error: Error) => void;
}

/** The far end of a UDP listener: RFC 5626 §3. */
export class UdpFlow extends BaseFlow {
  readonly #endpoint: UdpEndpoint;
  readonly #wireAddress: string;
  /** Sweep in which there was traffic last. */
  epoch = 0;

  constructor(ends: FlowEnds, endpoint: UdpEndpoint, wireAddress: string) {
    super(ends);
    this.#endpoint = endpoint;
    this.#wireAddress = wireAddress;
  }

  send(text: string): boolean {
    if (!this.open || text.length > MAX_DATAGRAM) return false;
    this.epoch = this.#endpoint.epoch;
    return this.#endpoint.write(Buffer.from(text, "latin1"), this.remotePort, this.#wireAddress);
  }

  close(): void {
    if (this.markClosed()) this.#endpoint.forget(this);
  }
}

/** A UDP listener with its table of flows, bounded in number and in age. */
export class UdpEndpoint {
  readonly side: string;
  readonly host: string;
  readonly family: 4 | 6;
  epoch = 0;
  #port = 0;
  readonly #modules: UdpModules;
  readonly #socket: Socket;
  readonly #flows = new Map<string, UdpFlow>();
  /** For a listener on all interfaces: looking them up takes system calls. */
  readonly #localAddresses = new Map<string, string>();
  #lastFlow: UdpFlow | undefined;
  #sweepTimer: Timer | undefined;
  #closed = false;

  constructor(side: string, host: string, modules: UdpModules) {
    this.side = side;
    this.host = host;
    this.family = addressFamily(host) === 6 ? 6 : 4;
    this.#modules = modules;
    const family = this.family;
    this.#socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      recvBufferSize: RECEIVE_BUFFER,
      // Addresses only come here: without this every datagram takes a turn through the resolver.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
  }

  get port(): number {
    return this.#port;
  }

  bind(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      const refused = (error: Error): void => {
        this.#closed = true;
        socket.close();
        reject(error);
      };
      socket.once("error", refused);
      socket.bind({ port, address: this.host }, () => {
        socket.off("error", refused);
        // Among others ICMP errors; the transaction's timer notices a dead peer.
        socket.on("error", (error) => this.#modules.onError(error));
        socket.on("message", (datagram, from) => this.#onDatagram(datagram, from));
        this.#port = socket.address().port;
        this.#armSweep();
        resolve();
      });
    });
  }

  /** The flow to this address, made when there is none. */
  flowTo(address: string, port: number): UdpFlow {
    const plain = plainAddress(address);
    const flow = this.#flows.get(flowKey(plain, port));
    return flow ?? this.#makeFlow(plain, port);
  }

  /** True when the address can be reached from this socket. */
  reaches(address: string): boolean {
    const family = addressFamily(address);
    return family === this.family || (family === 4 && this.host === "::");
  }

  write(datagram: Buffer, port: number, wireAddress: string): boolean {
    if (this.#closed) return false;
    this.#socket.send(datagram, port, wireAddress);
    return true;
  }

  forget(flow: UdpFlow): void {
    const key = flowKey(flow.remoteAddress, flow.remotePort);
    if (this.#flows.get(key) !== flow) return;
    this.#flows.delete(key);
    if (this.#lastFlow === flow) this.#lastFlow = undefined;
    this.#modules.onFlowGone(flow);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#sweepTimer?.cancel();
    for (const flow of [...this.#flows.values()]) flow.close();
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #onDatagram(datagram: Buffer, from: RemoteInfo): void {
    if (from.port === 0) return; // Nobody can be answered there.
    const first = datagram[0] ?? 0;
    if (first < 0x40) {
      if (isStun(datagram)) {
        this.#onStun(datagram, from);
        return;
      }
      if (first <= 13 && isBlank(datagram)) {
        this.#onKeepAlive(from);
        return;
      }
    }
    this.#modules.handler.onMessage(skipLineEnds(datagram.toString("latin1")), this.#flowFrom(from));
  }

  #flowFrom(from: RemoteInfo): UdpFlow {
    const last = this.#lastFlow;
    const address = from.family === "IPv6" ? plainAddress(from.address) : from.address;
    if (last !== undefined && last.remotePort === from.port && last.remoteAddress === address) {
      last.epoch = this.epoch;
      return last;
    }
    const flow = this.#flows.get(flowKey(address, from.port)) ?? this.#makeFlow(address, from.port);
    flow.epoch = this.epoch;
    this.#lastFlow = flow;
    return flow;
  }

  #makeFlow(address: string, port: number): UdpFlow {
    if (this.#flows.size >= this.#modules.limits.maxUdpFlows) this.#makeRoom();
    const wireAddress = this.family === 6 && addressFamily(address) === 4 ? `::ffff:${address}` : address;
    const flow = new UdpFlow(
      {
        id: this.#modules.nextId(),
        side: this.side,
        protocol: "UDP",
        localAddress: this.#localAddress(address),
        localPort: this.#port,
        remoteAddress: address,
        remotePort: port,
      },
      this,
      wireAddress,
    );
    flow.epoch = this.epoch;
    this.#flows.set(flowKey(address, port), flow);
    this.#modules.onFlow(flow);
    return flow;
  }

  #localAddress(remote: string): string {
    if (this.host !== "0.0.0.0" && this.host !== "::") return this.host;
    const key = `${addressFamily(remote)}${isLoopback(remote)}`;
    let address = this.#localAddresses.get(key);
    if (address === undefined) {
      address = localAddressTowards(this.host, remote);
      this.#localAddresses.set(key, address);
    }
    return address;
  }

  /** Second chance: the oldest flows that are in use go to the end of the line, a few at most. */
  #makeRoom(): void {
    let chances = 8;
    for (const [key, flow] of this.#flows) {
      if (chances > 0 && (flow.attachment !== undefined || flow.epoch === this.epoch)) {
        chances -= 1;
        this.#flows.delete(key);
        this.#flows.set(key, flow);
        continue;
      }
      flow.close();
      return;
    }
  }

  #onStun(datagram: Buffer, from: RemoteInfo): void {
    const response = stunResponse(datagram, plainAddress(from.address), from.port);
    if (response === undefined) return;
    this.write(response, from.port, from.address);
    this.#onKeepAlive(from);
  }

  #onKeepAlive(from: RemoteInfo): void {
    const flow = this.#flows.get(flowKey(plainAddress(from.address), from.port));
    if (flow === undefined) return;
    flow.epoch = this.epoch;
    this.#modules.handler.onKeepAlive?.(flow);
  }

  #armSweep(): void {
    this.#sweepTimer = this.#modules.clock.setTimer(
      Math.ceil(this.#modules.limits.udpIdleMs / SWEEPS),
      () => {
        this.epoch += 1;
        for (const flow of this.#flows.values()) {
          if (this.epoch - flow.epoch > SWEEPS && flow.attachment === undefined) flow.close();
        }
        this.#armSweep();
      },
    );
  }
}

function flowKey(address: string, port: number): string {
  return `${address}:${port}`;
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
