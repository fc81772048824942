import net from "node:net";
import type { TestContext } from "node:test";
import {
  base,
  CapabilitiesExchangeAnswer,
  CapabilitiesExchangeRequest,
  DeviceWatchdogAnswer,
  DeviceWatchdogRequest,
} from "../src/base/commands.ts";
import { type Command, Dictionary } from "../src/codec/command.ts";
import { type DecodedAvps, decode } from "../src/codec/decode.ts";
import { encodeMessage } from "../src/codec/encode.ts";
import type { Header } from "../src/codec/header.ts";
import { cx } from "../src/cx/application.ts";
import { Framer } from "../src/peer/framer.ts";

/** A message as the raw peer saw it. */
export interface Seen {
  readonly name: string;
  readonly header: Header;
  readonly avps: DecodedAvps;
}

/** The other end of one connection, without any behaviour but what the test says. */
export class RawPeer {
  readonly socket: net.Socket;
  readonly seen: Seen[] = [];
  closed = false;
  /** Called for each message; default: nothing is answered. */
  onMessage: (message: Seen) => void = () => {};

  constructor(socket: net.Socket) {
    this.socket = socket;
    const dictionary = new Dictionary([base, cx]);
    const framer = new Framer(
      1_048_576,
      (bytes, start, end) => {
        const { header, avps, command } = decode(dictionary, bytes, start, end);
        const message = { name: command?.name ?? String(header.code), header, avps };
        this.seen.push(message);
        this.onMessage(message);
      },
      () => socket.destroy(),
    );
    socket.on("data", (chunk: Buffer) => framer.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  send(
    command: Command,
    avps: DecodedAvps,
    ids: { hopByHop?: number; endToEnd?: number; flags?: number } = {},
  ): void {
    this.socket.write(encodeMessage(command, { hopByHop: 1, endToEnd: 1, ...ids }, avps as never));
  }

  /** Answers `to` with the same identifiers. */
  answer(to: Seen, command: Command, avps: DecodedAvps, flags?: number): void {
    const { hopByHop, endToEnd } = to.header;
    this.send(command, avps, { hopByHop, endToEnd, ...(flags === undefined ? {} : { flags }) });
  }

  /** The first message of that name, waiting for it; a second call wants a second one. */
  async expect(name: string, count = 1): Promise<Seen> {
    await until(
      () => this.seen.filter((message) => message.name === name).length >= count,
      `${count} ${name}`,
    );
    return this.seen.filter((message) => message.name === name)[count - 1] as Seen;
  }
}

/** What a peer with Cx says about itself. */
export function rawCapabilities(originHost: string, overrides: DecodedAvps = {}): DecodedAvps {
  return {
    originHost,
    originRealm: "example.com",
    hostIpAddress: ["127.0.0.1"],
    vendorId: 0,
    productName: "raw",
    vendorSpecificApplicationId: [{ vendorId: 10415, authApplicationId: 16_777_216 }],
    ...overrides,
  };
}

export interface RawServer {
  readonly port: number;
  readonly peers: RawPeer[];
  close(): Promise<void>;
}

/** Listens for the node under test. `onPeer` sets up each connection. */
export async function rawServer(
  t: TestContext,
  onPeer: (peer: RawPeer) => void,
  port = 0,
): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const server = net.createServer((socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    onPeer(peer);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = (): Promise<void> => {
    for (const { socket } of peers) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.after(close);
  return { port: (server.address() as net.AddressInfo).port, peers, close };
}

/** Behaves as a good neighbour: CEA to CER, DWA to DWR; the rest goes to `onRequest`. */
export function neighbour(
  originHost: string,
  onRequest: (peer: RawPeer, message: Seen) => void = () => {},
): (peer: RawPeer) => void {
  const own = { originHost, originRealm: "example.com" };
  return (peer) => {
    peer.onMessage = (message) => {
      if (message.name === CapabilitiesExchangeRequest.name) {
        peer.answer(message, CapabilitiesExchangeAnswer, {
          resultCode: 2001,
          ...rawCapabilities(originHost),
        });
      } else if (message.name === DeviceWatchdogRequest.name) {
        peer.answer(message, DeviceWatchdogAnswer, { resultCode: 2001, ...own });
      } else onRequest(peer, message);
    };
  };
}

/** Connects to the node under test; nothing is sent. */
export async function rawClient(t: TestContext, port: number): Promise<RawPeer> {
  const socket = net.connect({ host: "127.0.0.1", port });
  t.after(() => socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  return new RawPeer(socket);
}

/** Connects and exchanges capabilities. */
export async function connectedClient(
  t: TestContext,
  port: number,
  originHost = "raw.example.com",
): Promise<RawPeer> {
  const peer = await rawClient(t, port);
  peer.send(CapabilitiesExchangeRequest, rawCapabilities(originHost));
  await peer.expect("CEA");
  return peer;
}

/** Turns the event loop until `condition` holds, soon with pauses that leave the processor to others; fails after 15 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    const waited = performance.now() - began;
    if (waited > 15_000) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => (waited < 100 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
}
