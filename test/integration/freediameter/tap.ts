import net from "node:net";
import type { TestContext } from "node:test";

/** One message that passed, by its header: RFC 6733 §3. */
export interface Passed {
  readonly from: "client" | "server";
  readonly code: number;
  readonly request: boolean;
}

/** Stands between two peers and notes what passes. */
export interface Tap {
  readonly port: number;
  readonly passed: readonly Passed[];
  count(from: Passed["from"], code: number, request: boolean): number;
}

export async function startTap(
  t: TestContext,
  target: { readonly host: string; readonly port: number },
): Promise<Tap> {
  const passed: Passed[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(target);
    for (const [socket, other, from] of [
      [client, upstream, "client"],
      [upstream, client, "server"],
    ] as const) {
      let rest = Buffer.alloc(0);
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.end());
      socket.on("data", (chunk: Buffer) => {
        other.write(chunk);
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 20 && rest.length >= rest.readUIntBE(1, 3)) {
          passed.push({ from, code: rest.readUIntBE(5, 3), request: ((rest[4] ?? 0) & 0x80) !== 0 });
          rest = rest.subarray(rest.readUIntBE(1, 3));
        }
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    passed,
    count: (from, code, request) =>
      passed.filter((each) => each.from === from && each.code === code && each.request === request).length,
  };
}
