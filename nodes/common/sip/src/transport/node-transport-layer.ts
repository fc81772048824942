import { lookup } from "node:dns/promises";
import { type Clock, isLoopback, type LoopPacer } from "@ims/runtime";
import { type Connection, type ConnectionModules, StreamConnection } from "./connection.ts";
import { ConnectionPool, poolKey } from "./connection-pool.ts";
import { type DatagramDriver, datagramSockets } from "./datagram-sockets.ts";
import { addressFamily, DeadFlow, type FlowEnds, plainAddress } from "./flow.ts";
import { defaultLimits, type TransportLimits } from "./limits.ts";
import { type Listener, type ListenerModules, openListener } from "./listener.ts";
import { localAddressTowards } from "./local-address.ts";
import { LocalConnection } from "./local-connection.ts";
import type { LocalNetwork } from "./local-network.ts";
import { dialSecurely, type SecureSide } from "./secure-side.ts";
import { Standstill } from "./standstill.ts";
import { dialTcp, ReadBuffer } from "./tcp.ts";
import { dialTls, type TlsClientOptions } from "./tls.ts";
import type {
  Flow,
  ListeningPoint,
  ListenOptions,
  Target,
  TransportHandler,
  TransportLayer,
} from "./transport.ts";
import type { UdpEndpoint } from "./udp.ts";

/** Where the transport layer reports what no caller sees. A pino logger fits. */
export interface TransportLog {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface NodeTransportModules {
  readonly handler: TransportHandler;
  readonly clock: Clock;
  /** Told of every message read. */
  readonly pacer?: LoopPacer;
  readonly log?: TransportLog;
  readonly limits?: Partial<TransportLimits>;
  /** What applies to the connections of a zone instead: the trusted one carries what the others may send, and more. */
  readonly sideLimits?: Readonly<Record<string, Partial<TransportLimits>>>;
  /** For dialled TLS connections. */
  readonly tls?: TlsClientOptions;
  /** Zones that share their TCP ports with TLS, where both ends show certificates. */
  readonly secure?: Readonly<Record<string, SecureSide>> | undefined;
  /** UDP by recvmmsg and sendmmsg where that add-on is built ("auto", the default), or always by node:dgram. */
  readonly datagrams?: DatagramDriver;
  /** The other nodes of this process, which are reached without sockets. */
  readonly network?: LocalNetwork | undefined;
}

/** The transport layer on Node's own sockets: RFC 3261 §18, RFC 5626 §3.5, RFC 7118. */
export class NodeTransportLayer implements TransportLayer {
  readonly #clock: Clock;
  readonly #log: TransportLog | undefined;
  readonly #limits: TransportLimits;
  readonly #tls: TlsClientOptions;
  readonly #reads = new ReadBuffer();
  readonly #pool: ConnectionPool;
  readonly #listeners: Listener[] = [];
  readonly #flows = new Map<number, Flow>();
  readonly #connectionModules: ConnectionModules;
  readonly #sideModules = new Map<string, ConnectionModules>();
  readonly #listenerModules: ListenerModules;
  readonly #standstill: Standstill;
  readonly #handler: TransportHandler;
  readonly #network: LocalNetwork | undefined;
  readonly #secure: ReadonlyMap<string, SecureSide> | undefined;
  #points: readonly ListeningPoint[] = [];
  #lastId = 0;
  #stopped = false;

  constructor(modules: NodeTransportModules) {
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#limits = { ...defaultLimits, ...modules.limits };
    this.#tls = modules.tls ?? {};
    this.#handler = modules.handler;
    this.#network = modules.network;
    this.#secure = modules.secure === undefined ? undefined : new Map(Object.entries(modules.secure));
    this.#pool = new ConnectionPool(this.#limits);
    const sides = Object.values(modules.sideLimits ?? {});
    const staleMs = Math.min(
      this.#limits.staleMs,
      ...sides.map((one) => one.staleMs ?? this.#limits.staleMs),
    );
    this.#standstill = new Standstill(this.#clock, (stoodMs) => {
      const message = "this process stood still: requests that may have waited meanwhile are dropped";
      if (stoodMs > staleMs) this.#log?.warn({ stoodMs: Math.round(stoodMs) }, message);
    });
    const shared = {
      handler: guarded(paced(modules), this.#secure),
      clock: this.#clock,
      limits: this.#limits,
      standstill: this.#standstill,
    };
    const nextId = (): number => this.#nextId();
    this.#connectionModules = {
      ...shared,
      onGone: (connection) => {
        this.#pool.remove(connection);
        this.#flows.delete(connection.id);
      },
    };
    for (const [side, limits] of Object.entries(modules.sideLimits ?? {}))
      this.#sideModules.set(side, { ...this.#connectionModules, limits: { ...this.#limits, ...limits } });
    this.#listenerModules = {
      connection: this.#connectionModules,
      udp: {
        ...shared,
        openSocket: datagramSockets(modules.datagrams ?? "auto"),
        nextId,
        onFlow: (flow) => this.#flows.set(flow.id, flow),
        onFlowGone: (flow) => this.#flows.delete(flow.id),
        onError: (error) => this.#log?.warn({ err: error }, "UDP socket"),
      },
      pool: this.#pool,
      reads: this.#reads,
      nextId,
      onAccepted: (connection) => {
        const { side, protocol, remoteAddress, remotePort } = connection;
        this.#add(connection, poolKey(side, protocol, remoteAddress, remotePort));
        if (this.#stopped) connection.close();
      },
      onRefused: (source) => this.#log?.debug({ source }, "connection refused: limit reached"),
      onError: (error) => this.#log?.warn({ err: error }, "listening socket"),
    };
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get listeningPoints(): readonly ListeningPoint[] {
    return this.#points;
  }

  async listen(options: ListenOptions): Promise<ListeningPoint> {
    const host = addressFamily(options.host) === 0 ? (await lookup(options.host)).address : options.host;
    const listener = await openListener(
      { ...options, host },
      {
        ...this.#listenerModules,
        connection: this.#modulesOf(options.side),
        secure: this.#secure?.get(options.side),
      },
    );
    if (this.#stopped) {
      await listener.close();
      throw new Error("the transport layer was stopped");
    }
    this.#standstill.start();
    this.#listeners.push(this.#offered(listener));
    this.#points = [...this.#points, listener.point, ...(listener.also === undefined ? [] : [listener.also])];
    return listener.point;
  }

  /** Takes no more connections on a side; those there are, and UDP, live on. Its listening points remain known. */
  stopListening(side: string): void {
    for (const listener of this.#listeners)
      if (listener.point.side === side && listener.udp === undefined) void listener.close();
  }

  flowTo(target: Target, side: string): Flow {
    const secure = this.#secure?.get(side);
    return secure === undefined ? this.#plainFlowTo(target, side) : this.#secureFlowTo(target, side, secure);
  }

  /** What TLS is spoken with is reached by TLS on the same port, whatever the URI said: it may be older than the certificates. */
  #secureFlowTo(target: Target, side: string, secure: SecureSide): Flow {
    const { protocol, port } = target;
    const address = plainAddress(target.address);
    const local = this.#network?.has(address, port) === true;
    const upgraded =
      protocol === "TLS" ||
      ((protocol === "TCP" ? secure.mode !== "accept" : secure.mode === "require") &&
        !secure.isPlain(address));
    if (local || !upgraded)
      return this.#plainFlowTo(local && protocol === "TLS" ? { ...target, protocol: "TCP" } : target, side);
    const serverName = secure.nameToCheck(target.serverName, address);
    const key = poolKey(side, "TLS", address, port, serverName);
    const { serverName: _, ...place } = target;
    const named = { ...place, ...(serverName === undefined ? {} : { serverName }) };
    return this.#pool.find(key) ?? this.#dial({ ...named, address, protocol: "TLS" }, side, key, secure);
  }

  #plainFlowTo(target: Target, side: string): Flow {
    const { protocol, port } = target;
    const address = plainAddress(target.address);
    if (protocol === "UDP") {
      const udp = isPort(port) ? this.#udp(side, address) : undefined;
      return udp?.flowTo(address, port) ?? this.#dead(target, side);
    }
    // RFC 5923 §4: an accepted connection, whose far end nobody checked, serves no target with a name to check.
    const name = protocol === "TLS" ? target.serverName : undefined;
    const key = poolKey(side, protocol, address, port, name);
    return this.#pool.find(key) ?? this.#dial({ ...target, address }, side, key);
  }

  flow(id: number): Flow | undefined {
    return this.#flows.get(id);
  }

  udpFlow(side: string, localPort: number, remoteAddress: string, remotePort: number): Flow | undefined {
    if (!isPort(remotePort)) return undefined;
    return this.#udp(side, plainAddress(remoteAddress), localPort)?.flowTo(remoteAddress, remotePort);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#standstill.stop();
    this.#points = [];
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    for (const connection of [...this.#pool.connections()]) connection.close();
    await Promise.all(closing);
    await this.#pool.drained();
  }

  #modulesOf(side: string): ConnectionModules {
    return this.#sideModules.get(side) ?? this.#connectionModules;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #add(connection: Connection, key: string): void {
    this.#pool.add(connection, key);
    this.#flows.set(connection.id, connection);
  }

  #udp(side: string, address: string, localPort?: number): UdpEndpoint | undefined {
    for (const { udp } of this.#listeners) {
      if (udp === undefined || udp.side !== side || !udp.reaches(address)) continue;
      if (localPort === undefined || udp.port === localPort) return udp;
    }
    return undefined;
  }

  #dial(target: Target, side: string, key: string, secure?: SecureSide): Flow {
    const { protocol, address, port, serverName } = target;
    if (this.#stopped || (protocol !== "TCP" && protocol !== "TLS")) return this.#dead(target, side);
    if (addressFamily(address) === 0 || !isPort(port)) return this.#dead(target, side);
    if (!this.#pool.admit(undefined)) return this.#dead(target, side);
    const local = this.#dialLocally(target, side);
    if (local !== undefined) {
      this.#add(local, key);
      return local;
    }
    this.#standstill.start();
    const modules = this.#modulesOf(side);
    const connection = new StreamConnection(this.#farEnds(target, side), modules, true);
    const localAddress = this.#sourceAddress(side, address);
    const dial = {
      address,
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(serverName === undefined ? {} : { serverName }),
    };
    const receive = (chunk: string): void => connection.receive(chunk);
    const socket =
      protocol === "TCP"
        ? dialTcp(dial, this.#reads, receive)
        : secure === undefined
          ? dialTls(dial, this.#tls, this.#reads, receive)
          : dialSecurely(dial, secure, this.#reads, receive);
    let timer = this.#clock.setTimer(modules.limits.connectMs, () => connection.destroy());
    socket.once(protocol === "TCP" ? "connect" : "secureConnect", () => {
      timer.cancel();
      const { maxAgeMs } = modules.limits;
      // Spread, so that what was dialled together is not dialled again together.
      const age = maxAgeMs * (0.8 + 0.4 * Math.random());
      if (maxAgeMs > 0) timer = this.#clock.setTimer(age, () => this.#pool.retire(connection));
      connection.connected(plainAddress(socket.localAddress ?? ""), socket.localPort ?? 0);
    });
    socket.once("error", (error) =>
      this.#log?.debug({ err: error, protocol, address, port }, "connection failed"),
    );
    socket.once("close", () => {
      timer.cancel();
      this.#pool.release(undefined);
    });
    connection.attach(socket, false);
    this.#add(connection, key);
    return connection;
  }

  /** A TCP listener that the other nodes of this process reach without sockets too. */
  #offered(listener: Listener): Listener {
    const network = this.#network;
    const { protocol, side, host, port } = listener.point;
    if (network === undefined || protocol !== "TCP" || isWildcard(host)) return listener;
    const takeBack = network.listen(host, port, (remoteAddress, remotePort) => {
      if (this.#stopped || !this.#pool.admit(remoteAddress)) return undefined;
      const ends = { id: this.#nextId(), side, protocol, localAddress: host, localPort: port } as const;
      const connection = this.#local({ ...ends, remoteAddress, remotePort }, network, false);
      this.#add(connection, poolKey(side, protocol, remoteAddress, remotePort));
      return connection;
    });
    return {
      ...listener,
      close() {
        takeBack();
        return listener.close();
      },
    };
  }

  #dialLocally(target: Target, side: string): LocalConnection | undefined {
    const network = this.#network;
    if (network === undefined || target.protocol !== "TCP") return undefined;
    const ends = this.#farEnds(target, side);
    const { localAddress } = ends;
    return network.connect({ ...target, localAddress }, (localPort) =>
      this.#local({ ...ends, localPort }, network, true),
    );
  }

  #local(ends: FlowEnds, network: LocalNetwork, dialled: boolean): LocalConnection {
    const source = dialled ? undefined : ends.remoteAddress;
    // What one node of a process sends another is no more to wait for: the pacer counts what comes from outside.
    const modules = { ...this.#modulesOf(ends.side), handler: this.#handler };
    const connection = new LocalConnection(ends, modules, network, dialled);
    connection.onClose(() => this.#pool.release(source));
    return connection;
  }

  /**
   * Peers of a zone shall see the address on which the zone listens, when that is clear. A loopback address is kept
   * only towards loopback: the kernel refuses it elsewhere.
   */
  #sourceAddress(side: string, remote: string): string | undefined {
    const family = addressFamily(remote);
    let found: string | undefined;
    for (const { side: pointSide, host } of this.#points) {
      if (pointSide !== side || addressFamily(host) !== family || isWildcard(host)) continue;
      if (isLoopback(host) && !isLoopback(remote)) continue;
      if (found !== undefined && found !== host) return undefined;
      found = host;
    }
    return found;
  }

  /** The local address is a forecast until the connection is open. */
  #farEnds(target: Target, side: string): FlowEnds {
    const { protocol, address, port } = target;
    const wildcard = addressFamily(address) === 6 ? "::" : "0.0.0.0";
    return {
      id: this.#nextId(),
      side,
      protocol,
      localAddress: localAddressTowards(this.#sourceAddress(side, address) ?? wildcard, address),
      localPort: 0,
      remoteAddress: address,
      remotePort: port,
    };
  }

  #dead(target: Target, side: string): Flow {
    const { protocol, address, port } = target;
    this.#log?.debug({ protocol, side, address, port }, "no way to open a flow");
    return new DeadFlow(this.#farEnds(target, side));
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** A datagram is in the clear: where TLS is required it counts from those peers alone that cannot speak it. */
function guarded(
  handler: TransportHandler,
  sides: ReadonlyMap<string, SecureSide> | undefined,
): TransportHandler {
  if (sides === undefined || ![...sides.values()].some(({ mode }) => mode === "require")) return handler;
  return {
    onMessage: (text, flow) => {
      const secure = flow.protocol === "UDP" ? sides.get(flow.side) : undefined;
      const { remoteAddress } = flow;
      // Ourselves: the overload control stands in this queue.
      const taken =
        secure?.mode !== "require" || remoteAddress === flow.localAddress || secure.isPlain(remoteAddress);
      if (taken) handler.onMessage(text, flow);
      else secure.refused(remoteAddress, "it sends datagrams, which are in the clear");
    },
    onGarbage: (flow, reason, text) => handler.onGarbage?.(flow, reason, text),
    onKeepAlive: (flow) => handler.onKeepAlive?.(flow),
    onStale: (side) => handler.onStale?.(side),
  };
}

function paced({ handler, pacer }: NodeTransportModules): TransportHandler {
  if (pacer === undefined) return handler;
  return {
    onMessage: (text, flow) => {
      pacer.received();
      handler.onMessage(text, flow);
    },
    onGarbage: (flow, reason, text) => handler.onGarbage?.(flow, reason, text),
    onKeepAlive: (flow) => handler.onKeepAlive?.(flow),
    onStale: (side) => handler.onStale?.(side),
  };
}
