import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";

/** Asks with OPTIONS (RFC 3261 §11) and gives the first line of the answer, 200. @throws Error for another one, or none within 10 s */
export function sipOptions(
  transport: "udp" | "tcp",
  host: string,
  port: number,
  from: string,
  /** The URI that it answers for. */
  uri = `sip:${host}:${port}`,
): Promise<string> {
  const id = randomBytes(6).toString("hex");
  const text = [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${from}:5999;branch=z9hG4bK${id};rport`,
    "Max-Forwards: 70",
    `From: <sip:probe@${from}>;tag=${id}`,
    `To: <${uri}>`,
    `Call-ID: ${id}@${from}`,
    "CSeq: 1 OPTIONS",
    `Contact: <sip:probe@${from}:5999>`,
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => end(() => reject(new Error(`no answer to OPTIONS from ${host}:${port}`))),
      10_000,
    );
    const answered = (data: Buffer): void => {
      const line = data.toString("latin1").split("\r\n", 1)[0] ?? "";
      const well = line.startsWith("SIP/2.0 200 ");
      end(() => (well ? resolve(line) : reject(new Error(`${host}:${port} answers OPTIONS with '${line}'`))));
    };
    const failed = (error: Error): void => end(() => reject(error));
    const socket =
      transport === "udp"
        ? createSocket("udp4").on("message", answered).on("error", failed)
        : connect({ host, port, localAddress: from }).on("data", answered).on("error", failed);
    const end = (then: () => void): void => {
      clearTimeout(late);
      if ("destroy" in socket) socket.destroy();
      else socket.close();
      then();
    };
    if ("destroy" in socket) socket.write(text);
    else socket.bind(0, from, () => socket.send(text, port, host));
  });
}
