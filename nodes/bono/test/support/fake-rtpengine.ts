import { createSocket, type RemoteInfo } from "node:dgram";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type Bencodable, type Bencoded, bdecode, bencode } from "../../src/media-gateway/bencode.ts";

/** What it does with the next commands. */
export type Manner = "answers" | "silent" | "refuses" | "garbage" | "withoutSdp" | "twice";

/** A gateway by the book of the ng protocol that moves no media: what it was told, and session descriptions as asked for. */
export class FakeRtpengine {
  readonly #socket = createSocket("udp4");
  /** Everything but pings, oldest first; copies of a command as often as they came. */
  readonly commands: ReadonlyMap<string, Bencoded>[] = [];
  readonly cookies: string[] = [];
  manner: Manner = "answers";
  /** Transports of offers, by session. */
  readonly #offered = new Map<string, string>();
  /** Commands that are lost before one is answered. */
  loses = 0;
  pings = 0;

  static async start(t: TestContext): Promise<FakeRtpengine> {
    const gateway = new FakeRtpengine();
    await new Promise<void>((done) => gateway.#socket.bind(0, "127.0.0.1", done));
    gateway.#socket.on("message", (octets, from) => gateway.#received(octets.toString("latin1"), from));
    t.after(() => gateway.stop());
    return gateway;
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  #stopped = false;

  stop(): void {
    if (!this.#stopped) this.#socket.close();
    this.#stopped = true;
  }

  /** Names and keys of what was told. */
  get told(): readonly string[] {
    return this.commands.map((command) => `${text(command.get("command"))} ${text(command.get("call-id"))}`);
  }

  #received(datagram: string, from: RemoteInfo): void {
    const space = datagram.indexOf(" ");
    const cookie = datagram.slice(0, space);
    const command = bdecode(datagram.slice(space + 1));
    if (!(command instanceof Map)) throw new Error(`no command: ${datagram}`);
    const name = text(command.get("command"));
    if (name === "ping") this.pings += 1;
    else {
      this.commands.push(command);
      this.cookies.push(cookie);
    }
    if (this.manner === "silent") return;
    if (this.loses > 0) {
      this.loses -= 1;
      return;
    }
    const say = (what: string): void =>
      this.#socket.send(Buffer.from(what, "latin1"), from.port, from.address);
    if (this.manner === "garbage" && name !== "ping") return say(`${cookie} d3:sdp999:v=0`);
    if (this.manner === "twice") say(`other ${bencode({ result: "ok", sdp: "v=0 of somebody else" })}`);
    say(`${cookie} ${bencode(this.#answer(name, command))}`);
  }

  #answer(name: string, command: ReadonlyMap<string, Bencoded>): Bencodable {
    if (name === "ping") return { result: "pong" };
    if (this.manner === "refuses") return { result: "error", "error-reason": "Unknown call-id" };
    if (this.manner === "withoutSdp" || name === "delete") return { result: "ok" };
    const key = text(command.get("call-id"));
    if (name === "answer") return { result: "ok", sdp: sdpOf(this.#offered.get(key) ?? "RTP/AVP") };
    this.#offered.set(key, /^m=\S+ \S+ (\S+)/m.exec(text(command.get("sdp")))?.[1] ?? "");
    return { result: "ok", sdp: sdpOf(text(command.get("transport-protocol"))) };
  }
}

/** A session description of that transport, with what browsers write in it. */
export function sdpOf(transport: string, port = 30_000): string {
  const webrtc = transport.includes("TLS")
    ? ["a=fingerprint:sha-256 AA:BB", "a=setup:actpass", "a=mid:0"]
    : [];
  return [
    ...["v=0", "o=- 1 1 IN IP4 192.0.2.77", "s=-", "c=IN IP4 192.0.2.77", "t=0 0"],
    ...[`m=audio ${port} ${transport} 0`, ...webrtc, "a=ssrc:1 cname:x", "a=sendrecv", ""],
  ].join("\r\n");
}

function text(value: Bencoded | undefined): string {
  return typeof value === "string" ? value : "";
}
