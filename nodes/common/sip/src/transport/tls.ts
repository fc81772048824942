import type { OnReadOpts } from "node:net";
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from "node:tls";
import type { Dial, ReadBuffer, Receive } from "./tcp.ts";

/** How certificates of dialled peers are checked. */
export interface TlsClientOptions {
  /** PEM; default: the certificate authorities of Node. */
  readonly ca?: string;
  /** A certificate of our own for peers that ask for one. */
  readonly key?: string;
  readonly cert?: string;
  /** False accepts any certificate: for the lab only. Default true. */
  readonly verify?: boolean;
}

// RFC 8996: nothing before TLS 1.2.
const minVersion = "TLSv1.2";

export function dialTls(
  dial: Dial & { readonly serverName?: string },
  options: TlsClientOptions,
  reads: ReadBuffer,
  receive: Receive,
): TLSSocket {
  const settings: ConnectionOptions & { onread: OnReadOpts } = {
    host: dial.address,
    port: dial.port,
    ...(dial.localAddress === undefined ? {} : { localAddress: dial.localAddress }),
    ...(dial.serverName === undefined ? {} : { servername: dial.serverName }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    rejectUnauthorized: options.verify ?? true,
    minVersion,
    onread: reads.onread(receive),
  };
  return connect(settings);
}

/** `onSocket` gets sockets whose handshake is done; the server's "connection" event has the raw ones. */
export function tlsServer(
  pem: { readonly key: string; readonly cert: string },
  handshakeMs: number,
  onSocket: (socket: TLSSocket) => void,
): Server {
  const server = createServer(
    { key: pem.key, cert: pem.cert, minVersion, handshakeTimeout: handshakeMs },
    onSocket,
  );
  // A failed handshake is the peer's matter; Node has closed the socket already.
  server.on("tlsClientError", () => {});
  return server;
}
