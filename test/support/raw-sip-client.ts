import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { TestContext } from "node:test";

/** Sends octets as they are and keeps the SIP messages that come back: no transactions, no retransmissions, no ACK. */
export interface RawSipClient {
  /** Latin1 text: one char, one byte. */
  send(text: string): void;
  /** The messages received so far, in order. */
  readonly received: readonly string[];
  /** Resolves with the first message received, early or late, that fits; rejects after a while. */
  expect(what: string, fits: (message: string) => boolean): Promise<string>;
}

export interface RawTcpClient extends RawSipClient {
  readonly closed: boolean;
  /** One write for each byte. */
  sendByteByByte(text: string): Promise<void>;
  /** Says that nothing more will be sent. */
  end(): void;
  expectClose(): Promise<void>;
}

const PATIENCE_MS = 10_000;

/** Keeps messages and wakes whoever waits for one. */
class Inbox {
  readonly messages: string[] = [];
  readonly #waiting = new Set<() => void>();

  add(message: string): void {
    this.messages.push(message);
    this.wake();
  }

  wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(late);
        this.#waiting.delete(look);
        resolve(found);
      };
      const late = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.messages.map((message) => message.slice(0, message.indexOf("\r\n")));
        reject(new Error(`never came: ${what}; received: ${JSON.stringify(seen)}`));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  expect(what: string, fits: (message: string) => boolean): Promise<string> {
    return this.until(what, () => this.messages.find(fits));
  }
}

/** A UDP socket of its own, closed after the test. */
export async function rawUdpClient(
  t: Pick<TestContext, "after">,
  server: { readonly host: string; readonly port: number },
): Promise<RawSipClient> {
  const socket = createSocket(server.host.includes(":") ? "udp6" : "udp4");
  const inbox = new Inbox();
  socket.on("message", (datagram) => inbox.add(datagram.toString("latin1")));
  socket.on("error", () => {});
  t.after(() => socket.close());
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, localAddress(server.host), resolve);
  });
  return {
    received: inbox.messages,
    send: (text) => socket.send(Buffer.from(text, "latin1"), server.port, server.host),
    expect: (what, fits) => inbox.expect(what, fits),
  };
}

/** A TCP connection of its own, cut after the test. */
export async function rawTcpClient(
  t: Pick<TestContext, "after">,
  server: { readonly host: string; readonly port: number },
): Promise<RawTcpClient> {
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  const inbox = new Inbox();
  let stream = "";
  let closed = false;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    stream += chunk;
    for (;;) {
      stream = stream.replace(/^(?:\r\n)+/, "");
      const message = cutMessage(stream);
      if (message === undefined) return;
      stream = stream.slice(message.length);
      inbox.add(message);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
    inbox.wake();
  });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    received: inbox.messages,
    get closed() {
      return closed;
    },
    send: (text) => void socket.write(Buffer.from(text, "latin1")),
    sendByteByByte: async (text) => {
      for (const byte of Buffer.from(text, "latin1")) {
        if (closed || !socket.writable) return;
        socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    end: () => void socket.end(),
    expect: (what, fits) => inbox.expect(what, fits),
    expectClose: async () => {
      await inbox.until("the end of the connection", () => (closed ? true : undefined));
    },
  };
}

/** The whole message a stream begins with, or undefined. */
function cutMessage(stream: string): string | undefined {
  const end = stream.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = Number(/^(?:Content-Length|l)[ \t]*:[ \t]*(\d+)/im.exec(stream.slice(0, end))?.[1] ?? "0");
  const whole = end + 4 + length;
  return stream.length < whole ? undefined : stream.slice(0, whole);
}

/** Loopback to loopback: from the address of the server, so that it sees a neighbour. */
function localAddress(host: string): string {
  return host === "::1" || host.startsWith("127.") ? host : host.includes(":") ? "::" : "0.0.0.0";
}
