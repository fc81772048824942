import { createServer, type Server, type TLSSocket } from "node:tls";
import { type CoreTls, handshakeProblem } from "./core-tls.ts";

/** What a server needs of the certificates of the core. */
export type ServerTls = Pick<CoreTls, "credentials" | "onChange" | "clientProblem" | "refused">;

// A certificate that will not do is refused here, where its sender is still known.
const SETTINGS = { minVersion: "TLSv1.2", requestCert: true, rejectUnauthorized: false } as const;

/** A TLS server that takes connections of the core alone (mutual authentication) and works with renewed certificates. Not listening yet. */
export function coreTlsServer(
  tls: ServerTls,
  handshakeMs: number,
  onSocket: (socket: TLSSocket) => void,
): Server {
  const server = createServer(
    { ...SETTINGS, ...tls.credentials, handshakeTimeout: handshakeMs },
    (socket) => {
      const address = plain(socket.remoteAddress);
      const problem = problemOf(socket, address, tls);
      if (problem === undefined) return onSocket(socket);
      tls.refused(address, problem);
      socket.on("error", () => {});
      socket.destroy();
    },
  );
  server.on("tlsClientError", (error: NodeJS.ErrnoException, { remoteAddress }) => {
    // Who went away, or was no client of ours but a probe, has said nothing.
    if (remoteAddress !== undefined && error.code !== "ECONNRESET")
      tls.refused(plain(remoteAddress), handshakeProblem(error));
  });
  const forget = tls.onChange((credentials) => server.setSecureContext({ ...SETTINGS, ...credentials }));
  server.once("close", forget);
  return server;
}

/** Why this peer is not believed; undefined: it is. */
function problemOf(socket: TLSSocket, address: string, tls: ServerTls): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || socket.authorized) return tls.clientProblem(certificate, address);
  // A code, whatever the type says.
  const code = String(socket.authorizationError);
  return handshakeProblem(Object.assign(new Error(code), { code }));
}

/** IPv4 as such, where a socket of both families has it as IPv6. */
function plain(address = ""): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
