import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";

/** Asks with OPTIONS (RFC 3261 §11) and gives the first line of the answer. @throws Error when none comes within 10 s */
export function sipOptions(
  transport: "udp" | "tcp",
  host: string,
  port: number,
  from: string,
): Promise<string> {
  const id = randomBytes(6).toString("hex");
  const text = [
    `OPTIONS sip:${host}:${port} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${from}:5999;branch=z9hG4bK${id};rport`,
    "Max-Forwards: 0",
    `From: <sip:probe@${from}>;tag=${id}`,
    `To: <sip:${host}:${port}>`,
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
    const answered = (data: Buffer): void =>
      end(() => resolve(data.toString("latin1").split("\r\n", 1)[0] ?? ""));
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
