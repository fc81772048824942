import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pageModule } from "./modules.ts";

const { Transport } = await pageModule<{
  readonly Transport: new (
    servers: readonly string[],
    told: { state(state: string): void; message(text: string): void },
  ) => { open(): void; send(text: string): boolean; succeeded(): void; close(): void; readonly name: string };
}>("sip/transport.js");

/** A WebSocket of a browser, as far as the phone uses it. */
class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  binaryType = "";
  readonly sent: string[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly url: string;
  readonly protocol: string;
  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  opened(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }
}

function browser(t: TestContext) {
  const sockets: FakeSocket[] = [];
  const page = globalThis as unknown as Record<string, unknown>;
  const before = ["WebSocket", "addEventListener", "removeEventListener"].map((name) => [name, page[name]]);
  let online = () => {};
  page["WebSocket"] = class extends FakeSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets.push(this);
    }
  };
  page["addEventListener"] = (_name: string, listener: () => void) => {
    online = listener;
  };
  page["removeEventListener"] = () => {};
  t.after(() => Object.assign(page, Object.fromEntries(before)));
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.mock.method(Math, "random", () => 1);
  const [states, messages]: string[][] = [[], []];
  const told = {
    state: (state: string) => void states?.push(state),
    message: (text: string) => void messages?.push(text),
  };
  return { sockets, states, messages, told, online: () => online() };
}

test("RFC 5626 §4.5: a connection that fails is tried again at the next server, after waits that double up to 30 s; at once when the network is back", (t) => {
  const { sockets, told, online } = browser(t);
  const transport = new Transport(["wss://one", "wss://two"], told);
  transport.open();
  const waits = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
  for (const [turn, wait] of waits.entries()) {
    const socket = sockets.at(-1) ?? assert.fail("no socket");
    assert.equal(socket.url, turn % 2 === 0 ? "wss://one" : "wss://two");
    assert.equal(socket.protocol, "sip");
    socket.onclose?.();
    t.mock.timers.tick(wait - 1);
    assert.equal(sockets.length, turn + 1, `${wait} ms`);
    t.mock.timers.tick(1);
    assert.equal(sockets.length, turn + 2, `${wait} ms`);
  }
  sockets.at(-1)?.onclose?.();
  online();
  assert.equal(sockets.length, waits.length + 2);
  sockets.at(-1)?.opened();
  transport.succeeded();
  sockets.at(-1)?.onclose?.();
  t.mock.timers.tick(500);
  assert.equal(sockets.length, waits.length + 3);
  transport.close();
});

test("RFC 5626 §4.4.1: a connection whose pings are not answered, or that does not open, is given up; pongs are no messages", (t) => {
  const { sockets, states, messages, told } = browser(t);
  const transport = new Transport(["ws://one"], told);
  transport.open();
  assert.equal(transport.send("x"), false);
  const [first] = sockets;
  first?.opened();
  assert.equal(transport.name, "WS");
  t.mock.timers.tick(30_000);
  assert.deepEqual(first?.sent, ["\r\n\r\n"]);
  first?.onmessage?.({ data: "\r\n" });
  first?.onmessage?.({ data: new TextEncoder().encode("hello").buffer });
  assert.deepEqual(messages, ["hello"]);
  t.mock.timers.tick(30_000);
  assert.equal(first?.isClosed, false);
  t.mock.timers.tick(10_000);
  assert.equal(first?.isClosed, true);
  assert.deepEqual(states, ["connecting", "open", "waiting"]);
  t.mock.timers.tick(500);
  t.mock.timers.tick(10_000);
  assert.equal(sockets[1]?.isClosed, true);
  transport.close();
  t.mock.timers.tick(60_000);
  assert.equal(sockets.length, 2);
});
