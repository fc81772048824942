import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type Clock, systemClock } from "@ims/runtime";
import type { SipMessage } from "../../src/message/message.ts";
import { NodeTransportLayer, type NodeTransportModules } from "../../src/transport/node-transport-layer.ts";
import type { Flow } from "../../src/transport/transport.ts";

/** A request with the given body; `id` tells messages apart. */
export function message(id: number | string, body = ""): string {
  return `MESSAGE sip:b@example.com SIP/2.0\r\nCall-ID: ${id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

export interface Garbage {
  readonly flow: Flow;
  readonly reason: string;
  readonly text: string;
}

/** A layer with a handler that keeps what it gets, stopped after the test. */
export interface Station {
  readonly layer: NodeTransportLayer;
  readonly messages: { text: string; flow: Flow; message?: SipMessage }[];
  readonly garbage: Garbage[];
  readonly keepAlives: Flow[];
  /** Sides on which something was dropped as stale. */
  readonly stale: string[];
  /** Set by the test: what to do with a message besides keeping it. */
  answer: ((text: string, flow: Flow) => void) | undefined;
  onGarbage: ((flow: Flow) => void) | undefined;
}

export function station(
  t: TestContext,
  options: Omit<NodeTransportModules, "handler" | "clock"> & { clock?: Clock } = {},
): Station {
  const messages: { text: string; flow: Flow; message?: SipMessage }[] = [];
  const garbage: Garbage[] = [];
  const keepAlives: Flow[] = [];
  const stale: string[] = [];
  const layer = new NodeTransportLayer({
    clock: systemClock(),
    ...options,
    handler: {
      onMessage: (text, flow, message) => {
        messages.push({ text, flow, ...(message === undefined ? {} : { message }) });
        it.answer?.(text, flow);
      },
      onGarbage: (flow, reason, text) => {
        garbage.push({ flow, reason, text });
        it.onGarbage?.(flow);
      },
      onKeepAlive: (flow) => keepAlives.push(flow),
      onStale: (side) => stale.push(side),
    },
  });
  const it: Station = {
    layer,
    messages,
    garbage,
    keepAlives,
    stale,
    answer: undefined,
    onGarbage: undefined,
  };
  t.after(() => layer.stop());
  return it;
}

/** Resolves when the condition holds, checked after every turn of the loop; fails after a generous while. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A plain TCP client that keeps what it reads. */
export interface RawPeer {
  readonly socket: Socket;
  text: string;
  closed: boolean;
}

export async function rawPeer(t: TestContext, port: number, host = "127.0.0.1"): Promise<RawPeer> {
  const socket = connect({ host, port, noDelay: true });
  const peer: RawPeer = { socket, text: "", closed: false };
  socket.on("data", (chunk) => {
    peer.text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    peer.closed = true;
  });
  t.after(() => socket.destroy());
  await until("connected", () => !socket.connecting || peer.closed);
  return peer;
}
