import net from "node:net";
import type { TestContext } from "node:test";

/** One command line, with the data block of ms. */
export interface Command {
  readonly line: string;
  readonly verb: string;
  readonly key: string;
  /** The token of flag O. */
  readonly opaque: string;
  readonly data: Buffer | undefined;
}

export interface FakeMemcached {
  readonly id: string;
  readonly commands: readonly Command[];
  readonly connections: number;
}

/** A server on a loopback port that answers commands as the test says, right or wrong. */
export async function fakeMemcached(
  t: TestContext,
  answer: (command: Command, socket: net.Socket) => string | Buffer | undefined,
): Promise<FakeMemcached> {
  const commands: Command[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const end = rest.indexOf("\r\n");
        if (end < 0) return;
        const line = rest.toString("latin1", 0, end);
        const [verb = "", key = "", size] = line.split(" ");
        const dataEnd = verb === "ms" ? end + 2 + Number(size) : end;
        if (verb === "ms" && rest.length < dataEnd + 2) return;
        const command: Command = {
          line,
          verb,
          key,
          opaque: / O(\d+)/.exec(line)?.[1] ?? "",
          data: verb === "ms" ? Buffer.from(rest.subarray(end + 2, dataEnd)) : undefined,
        };
        rest = rest.subarray(dataEnd + 2);
        commands.push(command);
        const reply = answer(command, socket);
        if (reply !== undefined && !socket.destroyed) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    id: `127.0.0.1:${address.port}`,
    commands,
    get connections() {
      return connections;
    },
  };
}

/** What a server says that has nothing and takes everything. */
export function obliging({ verb, opaque }: Command): string {
  if (verb === "mg") return `EN O${opaque}\r\n`;
  if (verb === "ms") return `HD c1 O${opaque}\r\n`;
  return `HD O${opaque}\r\n`;
}
