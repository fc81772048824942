import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { parseMessage, type SipMessage } from "@ims/sip";

/** RFC 3261 §17.2.1: nothing is answered later than this. */
const TIMER_H_MS = 32_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a UE's messages go and come from: one local address and port, one edge node at a time. */
export interface Wire {
  readonly protocol: "udp" | "tcp";
  readonly local: Address;
  readonly remote: Address;
  send(text: string): void;
  close(): void;
}

export interface WireEvents {
  /** `reply` answers to where the message came from. */
  message(message: SipMessage, reply: (text: string) => void): void;
  /** The edge node is not there: connection closed, or its host says that nobody listens. */
  lost(): void;
}

/**
 * UDP: one socket takes what any edge node sends; a second one on the same port is connected to the current edge node, so
 * that ICMP tells when nobody listens there.
 */
export async function openUdp(local: Address, remote: Address, events: WireEvents): Promise<Wire> {
  const port = local.port === 0 ? await freePort(local.host) : local.port;
  const open = await udpSocket({ host: local.host, port });
  const connected = await udpSocket({ host: local.host, port });
  await new Promise<void>((resolve, reject) => {
    connected.once("error", reject);
    connected.connect(remote.port, remote.host, resolve);
  });
  connected.removeAllListeners("error");
  let closed = false;
  let gone = false;
  const receive = (data: Buffer, from: { address: string; port: number }): void =>
    deliver(data.toString("latin1"), events, (text) => {
      if (!gone) open.send(Buffer.from(text, "latin1"), from.port, from.address);
    });
  open.on("message", receive);
  connected.on("message", receive);
  open.on("error", () => undefined);
  connected.on("error", () => {
    if (!closed) events.lost();
  });
  return {
    protocol: "udp",
    local: { host: local.host, port },
    remote,
    send: (text) => {
      if (!closed) connected.send(Buffer.from(text, "latin1"), () => undefined);
    },
    close: () => {
      closed = true;
      connected.close();
      // Answers to what came over it still go out: the port stays the UE's own.
      const last = setTimeout(() => {
        gone = true;
        open.close();
      }, TIMER_H_MS);
      last.unref();
      open.unref();
    },
  };
}

/** A port that nobody has: among sockets that share their ports the kernel would give one that another UE has. */
async function freePort(host: string): Promise<number> {
  const socket = await udpSocket({ host, port: 0 }, false);
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(() => closed()));
  return port;
}

async function udpSocket({ host, port }: Address, reuseAddr = true): Promise<UdpSocket> {
  const socket = createSocket({ type: "udp4", reuseAddr });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, resolve);
  });
  socket.removeAllListeners("error");
  return socket;
}

/** TCP: one connection. Rejects when it is refused or takes longer than a second. */
export async function openTcp(local: Address, remote: Address, events: WireEvents): Promise<Wire> {
  const socket = connect({ host: remote.host, port: remote.port, localAddress: local.host, noDelay: true });
  await Promise.race([
    new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    }),
    delay(1000, undefined, { ref: false }).then(() => {
      if (!socket.connecting) return;
      socket.destroy();
      throw new Error(`no connection to ${remote.host}:${remote.port} within a second`);
    }),
  ]);
  let closed = false;
  let pending = "";
  const reply = (text: string): void => {
    if (!closed) socket.write(text, "latin1");
  };
  socket.removeAllListeners("error").on("error", () => undefined);
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    pending += chunk;
    for (let end = messageEnd(pending); end > 0; end = messageEnd(pending)) {
      const text = pending.slice(0, end);
      pending = pending.slice(end);
      if (text.length > 4) deliver(text, events, reply);
    }
  });
  socket.once("close", () => {
    if (closed) return;
    closed = true;
    events.lost();
  });
  return {
    protocol: "tcp",
    local: { host: local.host, port: socket.localPort ?? 0 },
    remote,
    send: reply,
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}

/** Where the first whole message (or keep-alive) ends; 0: nowhere yet. */
function messageEnd(text: string): number {
  if (text.startsWith("\r\n")) return 2;
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const length = Number(/\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)/i.exec(text.slice(0, end))?.[1] ?? "0");
  return text.length < end + 4 + length ? 0 : end + 4 + length;
}

function deliver(text: string, events: WireEvents, reply: (text: string) => void): void {
  const parsed = parseMessage(text);
  if (parsed.kind === "message") events.message(parsed.message, reply);
}
