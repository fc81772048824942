import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { parseMessage, SipMessage, unquote } from "@ims/sip";
import type { CoreUnderTest } from "./core-under-test.ts";

/** What a UE must know of the core. */
export type CoreOfUe = Pick<CoreUnderTest, "domain" | "sip">;

export interface UeOptions {
  readonly user: string;
  /** Private identity; default: user@domain. */
  readonly impi?: string;
  readonly transport?: "udp" | "tcp";
  /** Password text, or octets for AKA; or a function of the nonce. */
  readonly password?: string | ((nonce: Buffer) => { readonly password?: Buffer; readonly auts?: string });
  /** Local address; an address of its own keeps UEs apart. */
  readonly address?: string;
  readonly contactParameters?: string;
}

/** A small scripted UE over one UDP socket or one TCP connection: what SIPp and baresip cannot be told to do. */
export class SipUe {
  readonly impu: string;
  readonly impi: string;
  readonly domain: string;
  readonly #options: UeOptions;
  readonly #send: Wire["send"];
  readonly #inbox: SipMessage[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly localAddress: string;
  readonly localPort: number;
  readonly close: () => void;
  readonly #transport: string;
  readonly callId = randomBytes(8).toString("hex");
  #cseq = 0;
  serviceRoute: string[] = [];

  private constructor(options: UeOptions, core: CoreOfUe, wire: Wire) {
    this.#options = options;
    this.#transport = (options.transport ?? "udp").toUpperCase();
    this.#send = wire.send;
    this.close = wire.close;
    this.localAddress = wire.address;
    this.localPort = wire.port;
    this.domain = core.domain;
    this.impu = `sip:${options.user}@${core.domain}`;
    this.impi = options.impi ?? `${options.user}@${core.domain}`;
  }

  static async open(t: TestContext, core: CoreOfUe, options: UeOptions): Promise<SipUe> {
    let receive: (text: string) => void = () => undefined;
    const wire =
      options.transport === "tcp"
        ? await openTcp(core, options, (text) => receive(text))
        : await openUdp(core, options, (text) => receive(text));
    const ue = new SipUe(options, core, wire);
    receive = (text) => {
      const parsed = parseMessage(text);
      if (parsed.kind === "message") ue.#inbox.push(parsed.message);
      for (const wake of ue.#waiting.splice(0)) wake();
    };
    t.after(() => ue.close());
    return ue;
  }

  get contact(): string {
    const transport = this.#transport === "TCP" ? ";transport=tcp" : "";
    return `<sip:${this.#options.user}@${this.localAddress}:${this.localPort}${transport}>${this.#options.contactParameters ?? ""}`;
  }

  /** A request with the usual header fields; add or change lines before send(). */
  request(
    method: string,
    uri: string,
    options: { to?: string; from?: string; callId?: string; cseq?: number } = {},
  ): SipMessage {
    const request = SipMessage.request(method, uri);
    request.append(
      "Via",
      `SIP/2.0/${this.#transport} ${this.localAddress}:${this.localPort};branch=z9hG4bK${randomBytes(8).toString("hex")};rport`,
    );
    request.append("Max-Forwards", "70");
    request.append("From", options.from ?? `<${this.impu}>;tag=${this.callId.slice(0, 6)}`);
    request.append("To", options.to ?? `<${method === "REGISTER" ? this.impu : uri}>`);
    request.append("Call-ID", options.callId ?? this.callId);
    this.#cseq++;
    request.append("CSeq", `${options.cseq ?? this.#cseq} ${method}`);
    return request;
  }

  send(message: SipMessage): void {
    if (!message.has("Content-Length")) message.append("Content-Length", String(message.body.length));
    // RFC 3261 §18.2.2: an answer goes to where its request came from.
    const via = message.isRequest ? undefined : message.topVia;
    this.#send(
      message.toString(),
      via === undefined ? undefined : { host: via.host, port: via.port ?? 5060 },
    );
  }

  sendText(text: string): void {
    this.#send(text);
  }

  /** First message that fits, waiting for it; throws with what came instead. */
  async expect(fits: (message: SipMessage) => boolean, what: string, timeoutMs = 5000): Promise<SipMessage> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const index = this.#inbox.findIndex(fits);
      if (index >= 0) return this.#inbox.splice(index, 1)[0] ?? SipMessage.response(0, "");
      const left = deadline - Date.now();
      if (left <= 0) {
        const seen = this.#inbox.map((one) => `${one.method || one.status} (${one.cseqMethod})`).join(", ");
        throw new Error(
          `${this.impu}: no ${what} within ${timeoutMs} ms; got ${seen === "" ? "nothing" : seen}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async final(method: string, timeoutMs?: number): Promise<SipMessage> {
    return await this.expect(
      (message) => message.status >= 200 && message.cseqMethod === method,
      `final response to ${method}`,
      timeoutMs,
    );
  }

  async incoming(method: string, timeoutMs?: number): Promise<SipMessage> {
    return await this.expect((message) => message.method === method, method, timeoutMs);
  }

  /** Nothing that fits may come within the time. */
  async expectNothing(fits: (message: SipMessage) => boolean, ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const found = this.#inbox.find(fits);
    if (found !== undefined) throw new Error(`${this.impu}: unexpected ${found.method || found.status}`);
  }

  /** One REGISTER round with whatever challenges follow; gives the last response. */
  async register(
    options: {
      expires?: number;
      contact?: string;
      edit?: (request: SipMessage) => void;
      rounds?: number;
    } = {},
  ): Promise<SipMessage> {
    let credentials: string | undefined;
    for (let round = 0; ; round++) {
      const request = this.request("REGISTER", `sip:${this.domain}`);
      request.append("Contact", options.contact ?? this.contact);
      request.append("Expires", String(options.expires ?? 600));
      request.append("Supported", "path, gruu");
      request.append(
        "Authorization",
        credentials ??
          `Digest username="${this.impi}", realm="${this.domain}", nonce="", uri="sip:${this.domain}", response=""`,
      );
      options.edit?.(request);
      this.send(request);
      const response = await this.final("REGISTER");
      if (response.status === 200) this.serviceRoute = response.values("Service-Route");
      if (response.status !== 401 || round >= (options.rounds ?? 2)) return response;
      credentials = this.answer(response.header("WWW-Authenticate") ?? "", "REGISTER", `sip:${this.domain}`);
    }
  }

  /** Authorization value for a challenge: RFC 7616, RFC 3310. */
  answer(challenge: string, method: string, uri: string): string {
    const field = (name: string): string =>
      unquote(new RegExp(`(?:[ ,])${name}=("[^"]*"|[^,\\s]+)`, "i").exec(challenge)?.[1] ?? "");
    const [nonce, realm, algorithm] = [field("nonce"), field("realm"), field("algorithm") || "MD5"];
    const given = this.#options.password ?? "secret";
    const aka =
      typeof given === "function" ? given(Buffer.from(nonce, "base64")) : { password: Buffer.from(given) };
    const hash = (...parts: (string | Buffer)[]): string => {
      const digest = createHash(algorithm.toUpperCase().includes("SHA-256") ? "sha256" : "md5");
      for (const part of parts) digest.update(part);
      return digest.digest("hex");
    };
    const cnonce = randomBytes(6).toString("hex");
    const ha1 = hash(`${this.impi}:${realm}:`, aka.password ?? Buffer.alloc(0));
    const response = hash(`${ha1}:${nonce}:00000001:${cnonce}:auth:${hash(`${method}:${uri}`)}`);
    const auts = aka.auts === undefined ? "" : `, auts="${aka.auts}"`;
    return `Digest username="${this.impi}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="${cnonce}"${auts}`;
  }
}

interface Wire {
  /** `to` instead of the core, where that can be chosen: over UDP. */
  send: (text: string, to?: { readonly host: string; readonly port: number }) => void;
  close: () => void;
  address: string;
  port: number;
}

async function openUdp(core: CoreOfUe, options: UeOptions, receive: (text: string) => void): Promise<Wire> {
  const socket = createSocket("udp4");
  socket.on("message", (data) => receive(data.toString("latin1")));
  await new Promise<void>((resolve) => socket.bind(0, options.address ?? "127.0.0.1", resolve));
  const { address, port } = socket.address();
  return {
    send: (text, { host, port } = { host: core.sip.host, port: core.sip.udpPort }) =>
      socket.send(Buffer.from(text, "latin1"), port, host),
    close: () => void socket.close(),
    address,
    port,
  };
}

async function openTcp(core: CoreOfUe, options: UeOptions, receive: (text: string) => void): Promise<Wire> {
  const socket = connect({
    host: core.sip.host,
    port: core.sip.tcpPort,
    localAddress: options.address ?? "127.0.0.1",
    noDelay: true,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  let pending = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    pending += chunk;
    for (;;) {
      pending = pending.replace(/^(?:\r\n)+/, "");
      const end = pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(
        /\r\n(?:Content-Length|l)\s*:\s*(\d+)/i.exec(pending.slice(0, end + 2))?.[1] ?? 0,
      );
      if (pending.length < end + 4 + length) return;
      receive(pending.slice(0, end + 4 + length));
      pending = pending.slice(end + 4 + length);
    }
  });
  return {
    send: (text) => void socket.write(text, "latin1"),
    close: () => void socket.destroy(),
    address: socket.localAddress ?? "127.0.0.1",
    port: socket.localPort ?? 0,
  };
}
