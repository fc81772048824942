import type { AddressInfo, Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Connection, type ConnectionModules, StreamConnection } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { type FlowEnds, plainAddress } from "./flow.ts";
import { type SecureSide, secureServer } from "./secure-side.ts";
import { adopt, type ReadBuffer, readByEvents, tcpServer } from "./tcp.ts";
import { tlsServer } from "./tls.ts";
import type { ListeningPoint, ListenOptions } from "./transport.ts";
import { UdpEndpoint, type UdpModules } from "./udp.ts";
import { WsConnection, wsServer } from "./ws.ts";

export interface Listener {
  readonly point: ListeningPoint;
  /** What else is spoken there. */
  readonly also?: ListeningPoint;
  readonly udp?: UdpEndpoint;
  /** Stops listening; what was accepted lives on. */
  close(): Promise<void>;
}

export interface ListenerModules {
  readonly connection: ConnectionModules;
  readonly udp: UdpModules;
  readonly pool: ConnectionPool;
  readonly reads: ReadBuffer;
  /** TLS on the TCP ports of the side that is opened. */
  readonly secure?: SecureSide | undefined;
  readonly nextId: () => number;
  readonly onAccepted: (connection: Connection) => void;
  readonly onRefused: (source: string) => void;
  readonly onError: (error: Error) => void;
}

/** Listens as the options say. `host` must be an address; rejects when the port cannot be had or the PEM texts are missing. */
export async function openListener(options: ListenOptions, modules: ListenerModules): Promise<Listener> {
  if (options.protocol !== "UDP") {
    const sockets = new Set<Socket>();
    return openServer(options, serverFor(options, sockets, modules), sockets, modules);
  }
  const udp = new UdpEndpoint(options.side, options.host, modules.udp);
  await udp.bind(options.port, options.shared);
  return { point: point(options, udp.port), udp, close: () => udp.close() };
}

function serverFor(options: ListenOptions, sockets: Set<Socket>, modules: ListenerModules): Server {
  const { limits } = modules.connection;
  switch (options.protocol) {
    case "TCP":
    case "UDP":
      return modules.secure === undefined
        ? tcpServer((socket) => acceptTcp(socket, options, modules))
        : serverOf(modules.secure, options, sockets, modules);
    case "TLS": {
      const onSocket = (socket: TLSSocket): void => acceptRead(socket, options, modules);
      return admitting(tlsServer(pem(options), limits.handshakeMs, onSocket), sockets, modules);
    }
    case "WS":
    case "WSS": {
      const keys = options.protocol === "WSS" ? pem(options) : undefined;
      const server = wsServer(keys, limits, (socket, webSocket) => {
        const ends = endsOf(socket, options, modules);
        if (ends === undefined) webSocket.terminate();
        else modules.onAccepted(new WsConnection(ends, modules.connection, webSocket, socket));
      });
      return admitting(server, sockets, modules);
    }
  }
}

function serverOf(
  secure: SecureSide,
  options: ListenOptions,
  sockets: Set<Socket>,
  modules: ListenerModules,
): Server {
  return secureServer(secure, modules.connection.limits.handshakeMs, {
    admit: (socket) => admitHandshake(socket, sockets, modules),
    secure: (socket) => acceptRead(socket, { ...options, protocol: "TLS" }, modules),
    plain: (socket) => acceptRead(socket, options, modules),
  });
}

function openServer(
  options: ListenOptions,
  server: Server,
  sockets: ReadonlySet<Socket>,
  modules: ListenerModules,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const reusePort = options.shared !== undefined;
    server.listen({ host: options.host, port: options.port, backlog: 4096, reusePort }, () => {
      server.off("error", reject);
      server.on("error", modules.onError);
      const opened = point(options, (server.address() as AddressInfo).port);
      const shared = options.protocol === "TCP" && modules.secure !== undefined;
      resolve({
        point: opened,
        ...(shared ? { also: { ...opened, protocol: "TLS" } } : {}),
        close: () => closeServer(server, sockets, modules),
      });
    });
  });
}

/** Sockets in the middle of a handshake get as long as a closing connection. */
function closeServer(
  server: Server,
  sockets: ReadonlySet<Socket>,
  { connection }: ListenerModules,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = connection.clock.setTimer(connection.limits.closeMs, () => {
      for (const socket of sockets) socket.destroy();
    });
    server.close(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** Counts a socket against the limits, or cuts it. */
function admit(socket: Socket, modules: ListenerModules): boolean {
  const source = plainAddress(socket.remoteAddress ?? "");
  if (source !== "" && modules.pool.admit(source)) return true;
  modules.onRefused(source);
  socket.on("error", () => {});
  socket.destroy();
  return false;
}

/** Where a handshake comes first, the raw socket counts from its first moment. */
function admitting(server: Server, sockets: Set<Socket>, modules: ListenerModules): Server {
  return server.prependListener("connection", (socket: Socket) => {
    admitHandshake(socket, sockets, modules);
  });
}

function admitHandshake(socket: Socket, sockets: Set<Socket>, modules: ListenerModules): boolean {
  const source = plainAddress(socket.remoteAddress ?? "");
  if (!admit(socket, modules)) return false;
  sockets.add(socket);
  socket.once("close", () => {
    sockets.delete(socket);
    modules.pool.release(source);
  });
  return true;
}

function acceptTcp(accepted: Socket, options: ListenOptions, modules: ListenerModules): void {
  const ends = endsOf(accepted, options, modules);
  if (!admit(accepted, modules)) return;
  if (ends === undefined) {
    accepted.destroy();
    return;
  }
  const connection = new StreamConnection(ends, modules.connection);
  const socket = adopt(accepted, modules.reads, (chunk) => connection.receive(chunk));
  socket.once("close", () => modules.pool.release(ends.remoteAddress));
  connection.attach(socket, true);
  modules.onAccepted(connection);
}

function acceptRead(socket: Socket, options: ListenOptions, modules: ListenerModules): void {
  const ends = endsOf(socket, options, modules);
  if (ends === undefined) {
    socket.destroy();
    return;
  }
  const connection = new StreamConnection(ends, modules.connection);
  connection.attach(socket, true);
  readByEvents(socket, (chunk) => connection.receive(chunk));
  modules.onAccepted(connection);
}

/** Undefined when the peer is gone already. */
function endsOf(socket: Socket, options: ListenOptions, modules: ListenerModules): FlowEnds | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    id: modules.nextId(),
    side: options.side,
    protocol: options.protocol,
    localAddress: plainAddress(localAddress ?? ""),
    localPort: localPort ?? 0,
    remoteAddress: plainAddress(remoteAddress),
    remotePort,
  };
}

function point(options: ListenOptions, port: number): ListeningPoint {
  return { side: options.side, protocol: options.protocol, host: options.host, port };
}

function pem(options: ListenOptions): { readonly key: string; readonly cert: string } {
  if (options.tls === undefined) {
    throw new Error(`${options.protocol} on ${options.host}:${options.port} needs a key and a certificate`);
  }
  return options.tls;
}
