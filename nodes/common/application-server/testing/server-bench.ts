import { createSecretKey } from "node:crypto";
import { createHealth, type Health, type MetricsRegister, metricsRegister } from "@ims/runtime";
import { type FakeClock, fakeClock, type MemoryLogger, memoryLogger } from "@ims/runtime/testing";
import { ProxyCore, parseMessage, SipLocator, type SipMessage } from "@ims/sip";
import { type FakeFlow, FakeTransportLayer } from "@ims/sip/testing";
import { type KvStore, memoryStore } from "@ims/store";
import {
  type ApplicationServer,
  type ApplicationServerModule,
  createHost,
  type HostedOutcome,
  HostedServer,
  type ServerHost,
  ServiceUris,
} from "../src/index.ts";

export interface ServerBenchOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Default 2,000. */
  readonly timeoutMs?: number;
  /** What members of a pool have in common. */
  readonly shared?: { readonly clock: FakeClock; readonly store: KvStore };
}

export interface AskFields {
  /** Default INVITE. */
  readonly method?: string;
  /** Default sip:bob@example.com. */
  readonly uri?: string;
  /** Of P-Served-User; default: term, for the Request-URI; null: there is none. */
  readonly served?: { readonly impu: string; readonly sessionCase: "orig" | "term" | "orig-cdiv" } | null;
  /** Parameters of the URI in the filter criterion. */
  readonly parameters?: string;
  readonly callId?: string;
  readonly headers?: readonly string[];
}

const SCSCF = "sip:odi_x@127.0.0.1:5054;transport=tcp";
const PARAMETER = {
  orig: ";sescase=orig;regstate=reg",
  term: ";sescase=term;regstate=reg",
  "orig-cdiv": ";orig-cdiv",
};

/** An application server as sprout hosts it, between what the S-CSCF sends and what comes back to it: no network, no time. */
export class ServerBench {
  readonly clock: FakeClock;
  readonly store: KvStore;
  readonly register: MetricsRegister = metricsRegister();
  readonly health: Health = createHealth();
  readonly log: MemoryLogger = memoryLogger("debug");
  /** What the server has thrown. */
  readonly failures: unknown[] = [];
  readonly outcomes: HostedOutcome[] = [];
  readonly host: ServerHost;
  readonly #own: ServiceUris;
  readonly #timeoutMs: number;
  readonly #transport = new FakeTransportLayer();
  #core: ProxyCore | undefined;
  #hosted: HostedServer | undefined;
  #scscf: FakeFlow | undefined;
  #branch = 0;

  private constructor(name: string, { settings = {}, timeoutMs = 2_000, shared }: ServerBenchOptions) {
    this.clock = shared?.clock ?? fakeClock();
    this.store = shared?.store ?? memoryStore({ clock: this.clock });
    this.#timeoutMs = timeoutMs;
    this.#own = new ServiceUris(name, { homeDomain: "example.com", port: 5054 });
    this.host = createHost({
      ...{ name, uri: this.#own.uri, homeDomain: "example.com", settings, side: "isc" },
      ...{
        store: this.store,
        clock: this.clock,
        log: this.log,
        register: this.register,
        health: this.health,
      },
      key: createSecretKey(Buffer.alloc(16, 7)),
      originate: (request, destination, handler) => {
        if (this.#core === undefined) throw new Error("nothing can be sent yet");
        return this.#core.originate(request, destination, handler);
      },
      onFailure: (error) => void this.failures.push(error),
    });
  }

  static async of(module: ApplicationServerModule, options: ServerBenchOptions = {}): Promise<ServerBench> {
    const bench = new ServerBench(module.name, options);
    bench.#serve(module.name, await module.create(bench.host));
    return bench;
  }

  #serve(name: string, server: ApplicationServer): void {
    const { clock } = this;
    this.#hosted = new HostedServer(
      server,
      { name, uri: this.#own.uri, own: this.#own, side: "isc", timeoutMs: this.#timeoutMs },
      {
        clock,
        counters: { server: (_name, outcome) => void this.outcomes.push(outcome) },
        onFailure: (_name, error) => void this.failures.push(error),
        onSlow: () => undefined,
      },
    );
    const none = async (): Promise<never[]> => [];
    this.#core = new ProxyCore({
      sides: [{ name: "isc", entity: this.#hosted, strict: false }],
      locator: new SipLocator({
        dns: { naptr: none, srv: none, addresses: none },
        clock,
        supported: ["TCP", "UDP"],
      }),
      clock,
      transport: (handler) => {
        this.#transport.handler = handler;
        return this.#transport;
      },
      onDefect: (error) => void this.failures.push(error),
    });
    this.#scscf = this.#transport.connect({
      ...{ side: "isc", localPort: 5054, protocol: "TCP", remoteAddress: "127.0.0.1" },
    });
  }

  get hosted(): HostedServer {
    if (this.#hosted === undefined) throw new Error("there is no server yet");
    return this.#hosted;
  }

  /** A request of the S-CSCF for the filter criterion; what leaves. */
  ask(fields: AskFields = {}): Promise<SipMessage[]> {
    const { method = "INVITE", uri = "sip:bob@example.com", parameters = "", headers = [] } = fields;
    const { served = { impu: uri, sessionCase: "term" as const } } = fields;
    return this.#send([
      `${method} ${uri} SIP/2.0`,
      `Route: <${this.host.uri}${parameters};lr>, <${SCSCF};lr>`,
      `To: <${uri}>`,
      `Call-ID: ${fields.callId ?? `call-${this.#branch}`}`,
      `CSeq: 1 ${method}`,
      ...(served === null ? [] : [`P-Served-User: <${served.impu}>${PARAMETER[served.sessionCase]}`]),
      "P-Asserted-Identity: <sip:alice@example.com>",
      ...headers,
    ]);
  }

  /** A request inside the dialog that a forwarded request has begun, of its caller. */
  inDialog(method: string, begun: SipMessage, headers: readonly string[] = []): Promise<SipMessage[]> {
    const routes = begun.values("Record-Route").reverse();
    return this.#send([
      `${method} sip:bob@127.0.0.1:5054;transport=tcp SIP/2.0`,
      ...routes.map((route) => `Route: ${route}`),
      `To: ${begun.header("To")};tag=t1`,
      `Call-ID: ${begun.callId}`,
      `CSeq: 2 ${method}`,
      ...headers,
    ]);
  }

  cancel(asked: Pick<SipMessage, "requestUri" | "callId">): Promise<SipMessage[]> {
    const { requestUri, callId } = asked;
    const lines = [
      `CANCEL ${requestUri} SIP/2.0`,
      `To: <${requestUri}>`,
      `Call-ID: ${callId}`,
      "CSeq: 1 CANCEL",
    ];
    return this.#send(lines, `z9hG4bK${this.#branch}`);
  }

  /** The answer of whoever got a request that has left; what leaves because of it. */
  async answer(asked: SipMessage, status: number, headers: readonly string[] = []): Promise<SipMessage[]> {
    const text = [
      `SIP/2.0 ${status} Whatever`,
      ...asked.values("Via").map((via) => `Via: ${via}`),
      ...asked.values("Record-Route").map((one) => `Record-Route: ${one}`),
      `From: ${asked.header("From")}`,
      `To: ${asked.header("To")}${asked.toTag === "" ? ";tag=t1" : ""}`,
      `Call-ID: ${asked.callId}`,
      `CSeq: ${asked.header("CSeq")}`,
      ...headers,
      ...["Content-Length: 0", "", ""],
    ];
    const [flow] = this.#transport.dialled;
    if (flow === undefined) throw new Error("nothing has left");
    flow.receive(text.join("\r\n"));
    return this.left();
  }

  async advance(ms: number): Promise<SipMessage[]> {
    await this.clock.advanceAsync(ms);
    return this.left();
  }

  /** What has left since the last look, but 100. */
  async left(): Promise<SipMessage[]> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.#transport
      .takeSent()
      .map(({ text }) => {
        const parsed = parseMessage(text);
        if (parsed.kind !== "message") throw new Error(`no message: ${text}`);
        return parsed.message;
      })
      .filter(({ status }) => status !== 100);
  }

  #send(
    [start = "", ...lines]: readonly string[],
    branch = `z9hG4bK${++this.#branch}`,
  ): Promise<SipMessage[]> {
    const text = [
      start,
      `Via: SIP/2.0/TCP 127.0.0.1:5054;branch=${branch}`,
      "Max-Forwards: 69",
      "From: <sip:alice@example.com>;tag=f1",
      ...lines,
      ...["Content-Length: 0", "", ""],
    ];
    this.#scscf?.receive(text.join("\r\n"));
    return this.left();
  }
}
