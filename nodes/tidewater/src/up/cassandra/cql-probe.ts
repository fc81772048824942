import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

/** CQL native protocol v4 §2: version, flags, stream (2 bytes), opcode 5 (OPTIONS), length of the body (4 bytes). */
const OPTIONS = Uint8Array.of(4, 0, 0, 0, 5, 0, 0, 0, 0);
const SUPPORTED = 6;
const PROBE_WITHIN_MS = 1000;

/** Whether a CQL server answers there, now. */
export function answersCql(
  host: string,
  port: number,
  tls?: { readonly certificate: string; readonly key: string; readonly ca: string },
): Promise<boolean> {
  return new Promise((resolve) => {
    const pem = (file: string): string => readFileSync(file, "utf8");
    const socket =
      tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ca: pem(tls.ca), cert: pem(tls.certificate), key: pem(tls.key) });
    const done = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_WITHIN_MS, () => done(false));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => socket.write(OPTIONS));
    socket.once("data", (bytes) => done(bytes[4] === SUPPORTED));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
