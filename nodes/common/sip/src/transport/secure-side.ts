import type { X509Certificate } from "node:crypto";
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from "node:tls";
import { coreTlsServer, handshakeProblem } from "@ims/runtime";
import { plainAddress } from "./flow.ts";
import type { Dial, ReadBuffer, Receive } from "./tcp.ts";

/**
 * TLS on a side whose TCP ports it shares: a first octet tells the two apart. CoreTls of @ims/runtime is one. Modes: both are taken
 * ("accept"), TLS is dialled as well ("use"), nothing in the clear goes out or comes in ("require").
 */
export interface SecureSide {
  readonly mode: "off" | "accept" | "use" | "require";
  readonly context: SecureContext;
  /** PEM texts in force. */
  readonly credentials: { readonly cert: string; readonly key: string; readonly ca: string };
  onChange(listener: (credentials: SecureSide["credentials"]) => void): () => void;
  /** Every peer can be told to come back over TLS. */
  readonly speaksTls: boolean;
  isPlain(address: string): boolean;
  nameToCheck(name: string | undefined, address: string): string | undefined;
  serverProblem(raw: Uint8Array, address: string, name?: string): string | undefined;
  clientProblem(certificate: X509Certificate | undefined, address: string): string | undefined;
  refused(peer: string, reason: string): void;
}

const minVersion = "TLSv1.2";
/** ContentType handshake (RFC 8446 §5.1): no SIP message and no keep-alive begins so. */
const HANDSHAKE = 0x16;
/** Nobody was there, which is no matter of TLS. */
const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]);

/** Both ends show a certificate of the authorities of the core. */
export function dialSecurely(
  dial: Dial & { readonly serverName?: string | undefined },
  side: SecureSide,
  reads: ReadBuffer,
  receive: Receive,
): TLSSocket {
  const { address, port, serverName } = dial;
  const settings: ConnectionOptions & { onread: ReturnType<ReadBuffer["onread"]> } = {
    ...{ host: address, port, minVersion, rejectUnauthorized: true, secureContext: side.context },
    ...(dial.localAddress === undefined ? {} : { localAddress: dial.localAddress }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    checkServerIdentity: (_host, { raw }) => {
      const problem = side.serverProblem(raw, address, serverName);
      return problem === undefined ? undefined : new Error(problem);
    },
    onread: reads.onread(receive),
  };
  const socket = connect(settings);
  const place = `${address}:${port}`;
  let state: "connecting" | "shaking" | "over" = "connecting";
  socket.once("connect", () => {
    state = "shaking";
  });
  socket.once("secureConnect", () => {
    state = "over";
  });
  socket.once("error", (error: NodeJS.ErrnoException) => {
    if (state !== "over" && !NOBODY.has(error.code ?? "")) side.refused(place, handshakeProblem(error));
    state = "over";
  });
  socket.once("close", () => {
    if (state === "shaking") side.refused(place, "it does not answer the handshake: does it speak TLS?");
  });
  return socket;
}

export interface SecureServerHandlers {
  /** May this socket stay? Asked first of all. */
  admit(socket: Socket): boolean;
  secure(socket: TLSSocket): void;
  /** Its bytes are to be read by events: the first of them have been looked at. */
  plain(socket: Socket): void;
}

/** A TCP server whose connections speak TLS, or not where the side allows that. */
export function secureServer(side: SecureSide, handshakeMs: number, handlers: SecureServerHandlers): Server {
  const inner = coreTlsServer(side, handshakeMs, handlers.secure);
  const outer = createPlainServer({ noDelay: true }, (socket) => {
    if (!handlers.admit(socket)) return;
    socket.on("error", () => {});
    const address = plainAddress(socket.remoteAddress ?? "");
    if (side.mode === "require" && !side.isPlain(address)) inner.emit("connection", socket);
    else sniff(socket, inner, handlers);
  });
  outer.maxConnections = Number.MAX_SAFE_INTEGER;
  outer.once("close", () => inner.emit("close"));
  return outer;
}

function sniff(socket: Socket, inner: Server, handlers: SecureServerHandlers): void {
  const read = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    socket.off("readable", read);
    socket.unshift(chunk);
    if (chunk[0] === HANDSHAKE) inner.emit("connection", socket);
    else handlers.plain(socket);
  };
  socket.on("readable", read);
}
