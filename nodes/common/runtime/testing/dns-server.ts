import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import packet, { type Answer, type DecodedPacket, type Packet } from "dns-packet";

/** What the server says to a question. */
export interface Reply {
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
  readonly rcode?: number;
  /** Over UDP: no answers but the TC bit (RFC 1035 §4.1.1). */
  readonly truncate?: boolean;
  /** Datagrams sent before the answer. */
  readonly before?: (query: DecodedPacket) => Uint8Array[];
}

/** A DNS server on loopback that answers "TYPE name" from `replies`, else NXDOMAIN; a null reply is silence. */
export async function dnsServer(
  t: TestContext,
  replies: Record<string, Reply | null>,
): Promise<{ address: string; port: number; asked: string[] }> {
  const asked: string[] = [];
  function answer(query: DecodedPacket, over: "udp" | "tcp"): { reply: Reply; message: Packet } | undefined {
    const question = query.questions?.[0];
    const key = `${question?.type} ${question?.name}`;
    asked.push(`${over} ${key}`);
    const reply = replies[key] === undefined ? { rcode: 3 } : replies[key];
    if (reply === null) return undefined;
    const cut = over === "udp" && reply.truncate === true;
    const flags = packet.RECURSION_DESIRED | (cut ? packet.TRUNCATED_RESPONSE : 0) | (reply.rcode ?? 0);
    const { answers = [], authorities = [] } = reply;
    const message = { type: "response", id: query.id ?? 0, flags, questions: query.questions ?? [] } as const;
    return { reply, message: cut ? message : { ...message, answers, authorities } };
  }
  const tcp = createServer((connection) => {
    connection.on("error", () => {});
    connection.on("data", (data) => {
      const found = answer(packet.streamDecode(data) as DecodedPacket, "tcp");
      if (found === undefined) return;
      // In two pieces: a stream has no message boundaries.
      const bytes = packet.streamEncode(found.message);
      connection.write(bytes.subarray(0, 3), () => connection.end(bytes.subarray(3)));
    });
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const port = (tcp.address() as { port: number }).port;
  const udp = createSocket("udp4", (data, from) => {
    const query = packet.decode(data);
    const found = answer(query, "udp");
    if (found === undefined) return;
    for (const noise of found.reply.before?.(query) ?? []) udp.send(noise, from.port, from.address);
    udp.send(packet.encode(found.message), from.port, from.address);
  });
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return { address: "127.0.0.1", port, asked };
}
