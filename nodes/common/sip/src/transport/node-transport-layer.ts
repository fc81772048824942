import { lookup } from "node:dns/promises";
import type { AddressInfo, Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "@ims/runtime";
import { type Connection, type ConnectionModules, StreamConnection } from "./connection.ts";
import { ConnectionPool, poolKey } from "./connection-pool.ts";
import { addressFamily, DeadFlow, type FlowEnds, plainAddress } from "./flow.ts";
import { Flusher } from "./flusher.ts";
import { defaultLimits, type TransportLimits } from "./limits.ts";
import { adopt, dialTcp, ReadBuffer, readByEvents, tcpServer } from "./tcp.ts";
import { dialTls, type TlsClientOptions, tlsServer } from "./tls.ts";
import type {
  Flow,
  ListeningPoint,
  ListenOptions,
  Target,
  TransportHandler,
  TransportLayer,
  TransportProtocol,
} from "./transport.ts";
import { UdpEndpoint, type UdpModules } from "./udp.ts";
import { WsConnection, wsServer } from "./ws.ts";

/** Where the transport layer reports what no caller sees. A pino logger fits. */
export interface TransportLog {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface NodeTransportModules {
  readonly handler: TransportHandler;
  readonly clock: Clock;
  readonly log?: TransportLog;
  readonly limits?: Partial<TransportLimits>;
  /** For dialled TLS connections. */
  readonly tls?: TlsClientOptions;
}

interface Listener {
  readonly point: ListeningPoint;
  readonly udp?: UdpEndpoint;
  close(): Promise<void>;
}

/** The transport layer on Node's own sockets: RFC 3261 §18, RFC 5626 §3.5, RFC 7118. */
export class NodeTransportLayer implements TransportLayer {
  readonly #handler: TransportHandler;
  readonly #clock: Clock;
  readonly #log: TransportLog | undefined;
  readonly #limits: TransportLimits;
  readonly #tls: TlsClientOptions;
  readonly #reads = new ReadBuffer();
  readonly #pool: ConnectionPool;
  readonly #listeners: Listener[] = [];
  readonly #flows = new Map<number, Flow>();
  readonly #connectionModules: ConnectionModules;
  readonly #udpModules: UdpModules;
  /** Called when the last connection is gone: for `stop`. */
  #onDrained: (() => void) | undefined;
  #lastId = 0;
  #stopped = false;

  constructor(modules: NodeTransportModules) {
    this.#handler = modules.handler;
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#limits = { ...defaultLimits, ...modules.limits };
    this.#tls = modules.tls ?? {};
    this.#pool = new ConnectionPool(this.#limits);
    const shared = { handler: this.#handler, clock: this.#clock, limits: this.#limits };
    this.#connectionModules = {
      ...shared,
      flusher: new Flusher(),
      onGone: (connection) => {
        this.#pool.remove(connection);
        this.#flows.delete(connection.id);
      },
    };
    this.#udpModules = {
      ...shared,
      nextId: () => this.#nextId(),
      onFlow: (flow) => this.#flows.set(flow.id, flow),
      onFlowGone: (flow) => this.#flows.delete(flow.id),
      onError: (error) => this.#log?.warn({ err: error }, "UDP socket"),
    };
  }

  get listeningPoints(): readonly ListeningPoint[] {
    return this.#listeners.map((listener) => listener.point);
  }

  async listen(options: ListenOptions): Promise<ListeningPoint> {
    if (this.#stopped) throw new Error("the transport layer is stopped");
    const host = addressFamily(options.host) === 0 ? (await lookup(options.host)).address : options.host;
    const listener = await this.#open({ ...options, host });
    this.#listeners.push(listener);
    return listener.point;
  }

  flowTo(target: Target, side: string): Flow {
    const { protocol, port } = target;
    const address = plainAddress(target.address);
    if (protocol === "UDP") {
      return this.#udp(side, address)?.flowTo(address, port) ?? this.#dead(protocol, side, address, port);
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
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    for (const connection of [...this.#pool.connections()]) connection.close();
    await Promise.all(closing);
    if (this.#pool.total > 0) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #udp(side: string, address: string, localPort?: number): UdpEndpoint | undefined {
    for (const { udp } of this.#listeners) {
      if (udp !== undefined && udp.side === side && udp.reaches(address)) {
        if (localPort === undefined || udp.port === localPort) return udp;
      }
    }
    return undefined;
  }

  #open(options: ListenOptions): Promise<Listener> {
    switch (options.protocol) {
      case "UDP":
        return this.#openUdp(options);
      case "TCP":
        return this.#openServer(
          options,
          tcpServer((socket) => this.#acceptTcp(socket, options.side)),
        );
      case "TLS": {
        const server = tlsServer(pem(options), this.#limits.handshakeMs, (socket) =>
          this.#acceptTls(socket, options.side),
        );
        this.#admitRaw(server);
        return this.#openServer(options, server);
      }
      case "WS":
      case "WSS": {
        const server = wsServer(
          options.protocol === "WSS" ? pem(options) : undefined,
          this.#limits,
          (socket, webSocket) => {
            const ends = this.#ends(socket, options.protocol, options.side);
            if (ends === undefined) return webSocket.terminate();
            this.#add(new WsConnection(ends, this.#connectionModules, webSocket, socket));
          },
        );
        this.#admitRaw(server);
        return this.#openServer(options, server);
      }
    }
  }

  async #openUdp(options: ListenOptions): Promise<Listener> {
    const udp = new UdpEndpoint(options.side, options.host, this.#udpModules);
    await udp.bind(options.port);
    return { point: point(options, udp.port), udp, close: () => udp.close() };
  }

  #openServer(options: ListenOptions, server: Server): Promise<Listener> {
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: options.host, port: options.port, backlog: 4096, ipv6Only: false }, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#log?.warn({ err: error }, "listening socket"));
        resolve({
          point: point(options, (server.address() as AddressInfo).port),
          close: () => new Promise((done) => server.close(() => done())),
        });
      });
    });
  }

  /** Counts a socket against the limits; false when there is no room. */
  #admit(socket: Socket): boolean {
    const source = plainAddress(socket.remoteAddress ?? "");
    if (this.#stopped || source === "" || !this.#pool.admit(source)) {
      this.#log?.debug({ source }, "connection refused");
      socket.on("error", () => {});
      socket.destroy();
      return false;
    }
    return true;
  }

  #release(source: string | undefined): void {
    this.#pool.release(source);
    if (this.#pool.total === 0) this.#onDrained?.();
  }

  /** For servers with a handshake: the raw socket counts from its first moment. */
  #admitRaw(server: Server): void {
    server.prependListener("connection", (socket: Socket) => {
      const source = plainAddress(socket.remoteAddress ?? "");
      if (this.#admit(socket)) socket.once("close", () => this.#release(source));
    });
  }

  #acceptTcp(accepted: Socket, side: string): void {
    const ends = this.#ends(accepted, "TCP", side);
    if (ends === undefined || !this.#admit(accepted)) {
      accepted.destroy();
      return;
    }
    const connection = new StreamConnection(ends, this.#connectionModules);
    const socket = adopt(accepted, this.#reads, (chunk) => connection.receive(chunk));
    socket.once("close", () => this.#release(ends.remoteAddress));
    connection.attach(socket, true);
    this.#add(connection);
  }

  #acceptTls(socket: TLSSocket, side: string): void {
    const ends = this.#ends(socket, "TLS", side);
    if (ends === undefined) {
      socket.destroy();
      return;
    }
    const connection = new StreamConnection(ends, this.#connectionModules);
    connection.attach(socket, true);
    readByEvents(socket, (chunk) => connection.receive(chunk));
    this.#add(connection);
  }

  #add(connection: Connection): void {
    const { side, protocol, remoteAddress, remotePort } = connection;
    this.#pool.add(connection, poolKey(side, protocol, remoteAddress, remotePort));
    this.#flows.set(connection.id, connection);
    if (this.#stopped) connection.close();
  }

  #dial(target: Target, side: string, key: string): Flow {
    const { protocol, address, port } = target;
    const dialled = protocol === "TCP" || protocol === "TLS";
    if (
      this.#stopped ||
      !dialled ||
      addressFamily(address) === 0 ||
      !isPort(port) ||
      !this.#pool.admit(undefined)
    ) {
      return this.#dead(protocol, side, address, port);
    }
    const connection = new StreamConnection(
      this.#farEnds(protocol, side, address, port),
      this.#connectionModules,
    );
    const local = this.#sourceAddress(side, address);
    const dial = { address, port, ...(local === undefined ? {} : { localAddress: local }) };
    const receive = (chunk: string): void => connection.receive(chunk);
    const name = target.serverName;
    const socket =
      protocol === "TCP"
        ? dialTcp(dial, this.#reads, receive)
        : dialTls(
            { ...dial, ...(name === undefined ? {} : { serverName: name }) },
            this.#tls,
            this.#reads,
            receive,
          );
    const timer = this.#clock.setTimer(this.#limits.connectMs, () => connection.destroy());
    socket.once(protocol === "TCP" ? "connect" : "secureConnect", () => {
      timer.cancel();
      connection.connected(plainAddress(socket.localAddress ?? ""), socket.localPort ?? 0);
    });
    socket.once("error", (error) =>
      this.#log?.debug({ err: error, protocol, address, port }, "connection failed"),
    );
    socket.once("close", () => {
      timer.cancel();
      this.#release(undefined);
    });
    connection.attach(socket, false);
    this.#pool.add(connection, key);
    this.#flows.set(connection.id, connection);
    return connection;
  }

  /**
   * Peers of a zone shall see the address on which the zone listens, when that is clear. A loopback address is kept
   * only towards loopback: the kernel refuses it elsewhere.
   */
  #sourceAddress(side: string, remote: string): string | undefined {
    const family = addressFamily(remote);
    let found: string | undefined;
    for (const { point } of this.#listeners) {
      const { host } = point;
      if (point.side !== side || addressFamily(host) !== family || host === "0.0.0.0" || host === "::")
        continue;
      if (isLoopback(host) && !isLoopback(remote)) continue;
      if (found !== undefined && found !== host) return undefined;
      found = host;
    }
    return found;
  }

  /** Undefined when the peer is gone already. */
  #ends(socket: Socket, protocol: TransportProtocol, side: string): FlowEnds | undefined {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return undefined;
    return {
      id: this.#nextId(),
      side,
      protocol,
      localAddress: plainAddress(localAddress ?? ""),
      localPort: localPort ?? 0,
      remoteAddress: plainAddress(remoteAddress),
      remotePort,
    };
  }

  #farEnds(protocol: TransportProtocol, side: string, remoteAddress: string, remotePort: number): FlowEnds {
    return { id: this.#nextId(), side, protocol, localAddress: "", localPort: 0, remoteAddress, remotePort };
  }

  #dead(protocol: TransportProtocol, side: string, address: string, port: number): Flow {
    this.#log?.debug({ protocol, side, address, port }, "no way to open a flow");
    return new DeadFlow(this.#farEnds(protocol, side, address, port));
  }
}

function point(options: ListenOptions, port: number): ListeningPoint {
  return { side: options.side, protocol: options.protocol, host: options.host, port };
}

function pem(options: ListenOptions): { readonly key: string; readonly cert: string } {
  if (options.tls === undefined)
    throw new Error(`${options.protocol} on ${options.host} needs a key and a certificate`);
  return options.tls;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
