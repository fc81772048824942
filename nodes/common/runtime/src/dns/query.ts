import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import packet, { type DecodedPacket } from "dns-packet";
import { asError } from "../errors.ts";

export type QueryType = "NAPTR" | "SRV" | "A" | "AAAA";

export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** One question to one server over UDP, again over TCP when the answer is cut off (RFC 1035 §4.2, RFC 7766). Rejects on silence or rubbish. */
export async function query(
  server: DnsServer,
  name: string,
  type: QueryType,
  timeoutMs: number,
): Promise<DecodedPacket> {
  const id = randomInt(65536);
  const question = {
    type: "query" as const,
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name }],
  };
  const answer = await overUdp(server, packet.encode(question), { id, name, type }, timeoutMs);
  return answer.flag_tc === true
    ? await overTcp(server, packet.streamEncode(question), id, timeoutMs)
    : answer;
}

function overUdp(
  server: DnsServer,
  bytes: Uint8Array,
  { id, name, type }: { readonly id: number; readonly name: string; readonly type: QueryType },
  timeoutMs: number,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`no answer from ${server.address} within ${timeoutMs} ms`))),
      timeoutMs,
    );
    socket.once("error", (error) => end(() => reject(error)));
    socket.on("message", (data) => {
      // Anything that is no answer to this very question is somebody's guess: wait on.
      try {
        const answer = packet.decode(data);
        const asked = answer.questions?.[0];
        if (answer.id !== id || asked?.type !== type || asked.name.toLowerCase() !== name.toLowerCase())
          return;
        end(() => resolve(answer));
      } catch {
        return;
      }
    });
    socket.connect(server.port, server.address, () => socket.send(bytes));
  });
}

function overTcp(
  server: DnsServer,
  bytes: Uint8Array,
  id: number,
  timeoutMs: number,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.address, () => socket.write(bytes));
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer from ${server.address} over TCP`)),
      timeoutMs,
    );
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      try {
        const answer = packet.streamDecode(received) as DecodedPacket;
        if (answer.id !== id) throw new Error("answer to another question");
        resolve(answer);
      } catch (error) {
        reject(asError(error));
      }
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error(`${server.address} closed the connection`));
    });
  });
}
