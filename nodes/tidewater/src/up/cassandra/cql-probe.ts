import { connect } from "node:net";

/** CQL native protocol v4 §2: version, flags, stream (2 bytes), opcode 5 (OPTIONS), length of the body (4 bytes). */
const OPTIONS = Uint8Array.of(4, 0, 0, 0, 5, 0, 0, 0, 0);
const SUPPORTED = 6;
const PROBE_WITHIN_MS = 1000;

/** Whether a CQL server answers there, now. */
export function answersCql(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_WITHIN_MS, () => done(false));
    socket.once("connect", () => socket.write(OPTIONS));
    socket.once("data", (bytes) => done(bytes[4] === SUPPORTED));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
