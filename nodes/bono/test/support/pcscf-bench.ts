import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  ProxyCore,
  parseMessage,
  parseUri,
  ResourcePriorities,
  type SessionTimerOptions,
  type SipMessage,
  sessionTimers,
  type Target,
  type Uri,
} from "@ims/sip";
import { type FakeFlow, FakeTransportLayer } from "@ims/sip/testing";
import type { MediaGateway } from "../../src/media-gateway/media-gateway.ts";
import { CallRelease } from "../../src/pcscf/call-release.ts";
import { CallWatch } from "../../src/pcscf/call-watch.ts";
import { EmergencyNumbers } from "../../src/pcscf/emergency-numbers.ts";
import { FlowTable } from "../../src/pcscf/flow-table.ts";
import { FlowTokens } from "../../src/pcscf/flow-token.ts";
import { GuessLimiter } from "../../src/pcscf/guess-limiter.ts";
import type { PcscfModules, Refusal } from "../../src/pcscf/modules.ts";
import { ownUris } from "../../src/pcscf/own-uris.ts";
import { Pcscf } from "../../src/pcscf/pcscf.ts";
import { RegistrationEvents } from "../../src/pcscf/registration-events.ts";
import { ServiceRoutes } from "../../src/pcscf/service-route.ts";
import { SourceLimiter } from "../../src/pcscf/source-limiter.ts";

export const ACCESS = "192.0.2.1";
export const CORE = "10.0.0.1";
export const SPROUT = "10.0.0.2";
export const SCSCF_ROUTE = `<sip:${SPROUT}:5054;transport=tcp;lr;orig>`;

export interface BenchOptions {
  readonly transport?: FakeTransportLayer;
  readonly clock?: FakeClock;
  readonly perSecond?: number;
  readonly free?: number;
  readonly keepAliveSeconds?: number;
  readonly key?: Uint8Array;
  /** Other members of the pool. */
  readonly siblings?: readonly Target[];
  readonly drainStatus?: 305 | 503;
  readonly hasSiblings?: boolean;
  /** It ends the calls of who is deregistered. */
  readonly releases?: boolean;
  readonly sessionTimers?: SessionTimerOptions;
  /** P-Early-Media of UEs' answers. */
  readonly earlyMedia?: "sendrecv" | "inactive";
  /** Branches as all members of the pool make them. */
  readonly pooled?: boolean;
  /** Where emergency requests go. */
  readonly ecscfs?: readonly string[];
  readonly emergencyFrom?: "anyone" | "registered" | "emergencyRegistered";
  /** Service by number. */
  readonly emergencyNumbers?: Readonly<Record<string, string>>;
  /** Resource-Priority of emergency requests. */
  readonly emergencyPriority?: string;
  /** It subscribes to registrations. */
  readonly subscribes?: boolean;
  /** Media gateways between UEs of WebRTC and others. */
  readonly media?: MediaGateway;
}

/** A P-CSCF on the real proxy core over transports in memory, with sprout played by the test. */
export class PcscfBench {
  readonly clock: FakeClock;
  readonly transport: FakeTransportLayer;
  readonly core: ProxyCore;
  readonly entity: Pcscf;
  readonly modules: PcscfModules & {
    registrationEvents?: RegistrationEvents | undefined;
    callRelease?: CallRelease | undefined;
  };
  readonly refusals: Refusal[] = [];
  readonly events: string[] = [];
  readonly counts = { registered: 0, deregistered: 0 };
  readonly defects: unknown[] = [];
  /** Calls that were ended because their UE was deregistered. */
  released = 0;
  #branch = 0;
  #tags = 0;

  constructor(options: BenchOptions = {}) {
    this.clock = options.clock ?? fakeClock();
    this.transport = options.transport ?? new FakeTransportLayer();
    for (const [protocol, port] of [
      ["UDP", 5060],
      ["TCP", 5060],
      ["WS", 5062],
    ] as const)
      this.transport.listeningPoints.push({ side: "access", protocol, host: ACCESS, port });
    this.transport.listeningPoints.push({ side: "core", protocol: "TCP", host: CORE, port: 5058 });
    const tokens = new FlowTokens({
      key: createSecretKey(options.key ?? Buffer.alloc(32, 7)),
      transport: () => this.transport,
      side: "access",
    });
    let icid = 0;
    this.modules = {
      settings: {
        icscf: uri(`sip:${SPROUT}:5052;transport=tcp`),
        visitedNetworkId: "visited.example.com",
        ioi: "example.com",
        icidHost: CORE,
        coreHostPort: `${CORE}:5058;transport=tcp`,
        keepAliveSeconds: 0,
        udpKeepAliveSeconds: options.keepAliveSeconds ?? 0,
        drainStatus: options.drainStatus ?? 503,
        earlyMedia: options.earlyMedia ?? "",
        hasSiblings: () => options.hasSiblings === true,
        ecscfs: (options.ecscfs ?? []).map(uri),
        emergencyFrom: options.emergencyFrom ?? "anyone",
        emergencyPriority: options.emergencyPriority ?? "esnet.1",
      },
      clock: this.clock,
      own: ownUris({
        hosts: new Set([ACCESS, CORE, "sibling.bono.example.com"]),
        accessPorts: new Set([5060, 5061, 5062]),
        corePorts: new Set([5058]),
      }),
      tokens,
      calls: new CallWatch(),
      flows: new FlowTable({ tokens, clock: this.clock, publicHost: undefined }),
      serviceRoutes: new ServiceRoutes([SPROUT]),
      sources: new SourceLimiter(
        { perSecond: options.perSecond ?? 0, burst: options.perSecond ?? 0 },
        this.clock,
      ),
      emergencySources: new SourceLimiter(
        { perSecond: options.perSecond ?? 0, burst: options.perSecond ?? 0 },
        this.clock,
      ),
      emergencyNumbers: new EmergencyNumbers(
        new Map(Object.entries(options.emergencyNumbers ?? {})),
        "example.com",
      ),
      guesses: new GuessLimiter({ free: options.free ?? 10, intervalMs: 1000 }, this.clock),
      sessionTimers: options.sessionTimers && sessionTimers(options.sessionTimers),
      media: options.media,
      resourcePriorities: new ResourcePriorities(),
      newIcid: () => `icid${++icid}`,
      counters: {
        registered: () => void this.counts.registered++,
        deregistered: () => void this.counts.deregistered++,
        refused: (why) => void this.refusals.push(why),
        released: () => void this.released++,
        registrationEvent: (outcome) => void this.events.push(outcome),
      },
      isInviting: (flowId, besides) => this.core.transactions.isInviting(flowId, besides),
      siblingTargets: (host) =>
        host === "sibling.bono.example.com" ? [{ protocol: "TCP", address: "10.0.0.9", port: 5058 }] : [],
      siblings: () => options.siblings ?? [],
      mayUseCore: (address) => address.startsWith("10."),
    };
    if (options.subscribes === true) {
      const { flows, settings, counters } = this.modules;
      this.modules.registrationEvents = new RegistrationEvents({
        flows,
        settings,
        counters,
        clock: this.clock,
        originate: (request, destination, handler) => this.core.originate(request, destination, handler),
        chargingVector: () => "icid-value=own",
        tag: () => `tag${++this.#tags}`,
        onRejected: (registration, { flow }) => this.modules.callRelease?.release(registration.owner, flow),
      });
    }
    if (options.releases === true)
      this.modules.callRelease = new CallRelease({
        originate: (request, destination, handler) => this.core.originate(request, destination, handler),
        released: this.modules.counters.released,
      });
    this.entity = new Pcscf(this.modules);
    const entity = this.entity;
    this.core = new ProxyCore({
      sides: [
        { name: "access", entity, strict: true },
        { name: "core", entity, strict: false },
      ],
      clock: this.clock,
      locator: {
        locate: (target) => [{ protocol: "TCP", address: target.host, port: target.port ?? 5060 }],
        failed: () => undefined,
      },
      transport: (handler) => {
        this.transport.handler = handler;
        return this.transport;
      },
      onDefect: (error) => void this.defects.push(error),
      ...(options.pooled === true ? { poolKey: createSecretKey(Buffer.alloc(32, 9)) } : {}),
    });
  }

  /** A UE's flow. */
  ue(
    remotePort: number,
    protocol: "UDP" | "TCP" | "TLS" | "WS" = "UDP",
    remoteAddress = "198.51.100.7",
  ): FakeFlow {
    const localPort = protocol === "WS" ? 5062 : 5060;
    return this.transport.connect({
      side: "access",
      protocol,
      localAddress: ACCESS,
      localPort,
      remoteAddress,
      remotePort,
    });
  }

  /** A connection of sprout to the trusted side. */
  sprout(): FakeFlow {
    return this.transport.connect({
      side: "core",
      protocol: "TCP",
      localAddress: CORE,
      localPort: 5058,
      remoteAddress: SPROUT,
      remotePort: 45_000,
    });
  }

  /** A request on a flow; what it made the P-CSCF send. */
  request(flow: FakeFlow, options: RequestOptions): Sent[] {
    const method = options.method ?? "INVITE";
    const branch = options.branch ?? `z9hG4bKb${++this.#branch}`;
    const user = options.from ?? "alice";
    const text = [
      `${method} ${options.uri ?? "sip:bob@example.com"} SIP/2.0`,
      `Via: SIP/2.0/${flow.protocol} ${options.via ?? `10.1.1.1:5060;branch=${branch};rport`}`,
      "Max-Forwards: 70",
      `From: ${user.includes("<") ? user : `<sip:${user}@example.com>`};tag=f1`,
      `To: ${options.to ?? "<sip:bob@example.com>"}`,
      `Call-ID: ${options.callId ?? "call1"}`,
      `CSeq: ${options.cseq ?? 1} ${method}`,
      ...(options.contact === null
        ? []
        : [`Contact: ${options.contact ?? `<sip:${user.includes("<") ? "alice" : user}@10.1.1.1:5060>`}`]),
      ...(options.headers ?? []),
      ...bodyLines(options.body),
    ].join("\r\n");
    this.transport.takeSent();
    flow.receive(text);
    assert.deepEqual(this.defects, []);
    return this.sent();
  }

  /** The peer of what was sent answers it on the same flow. */
  answer(to: Sent, status: number, headers: readonly string[] = [], body?: string): Sent[] {
    const { message, flow } = to;
    const text = [
      `SIP/2.0 ${status} Whatever`,
      ...message.values("Via").map((via) => `Via: ${via}`),
      ...(headers.some((line) => line.startsWith("Record-Route"))
        ? []
        : message.values("Record-Route").map((route) => `Record-Route: ${route}`)),
      `From: ${message.header("From")}`,
      `To: ${message.header("To")}${message.toTag === "" ? ";tag=t1" : ""}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${message.header("CSeq")}`,
      ...headers,
      ...bodyLines(body),
    ].join("\r\n");
    this.transport.takeSent();
    flow.receive(text);
    assert.deepEqual(this.defects, []);
    return this.sent();
  }

  sent(): Sent[] {
    return this.transport.takeSent().map(({ text, flow }) => ({ message: parsed(text), flow, text }));
  }

  /** Registers a user over a flow. */
  register(flow: FakeFlow, user = "alice", headers: readonly string[] = []): Sent {
    const [toCore] = this.request(flow, {
      method: "REGISTER",
      uri: "sip:example.com",
      from: user,
      to: `<sip:${user}@example.com>`,
      callId: `reg-${user}-${flow.id}`,
      headers: [
        `Authorization: Digest username="${user}@example.com",realm="example.com",nonce="n",uri="sip:example.com",response="0123"`,
      ],
    });
    assert.ok(toCore);
    const [toUe] = this.answer(toCore, 200, [
      `Contact: <sip:${user}@10.1.1.1:5060>;expires=600`,
      `Service-Route: ${SCSCF_ROUTE}`,
      ...(headers.some((line) => line.startsWith("P-Associated-URI"))
        ? []
        : [`P-Associated-URI: <sip:${user}@example.com>`]),
      ...headers,
    ]);
    assert.ok(toUe);
    return toUe;
  }

  /** Path of a flow, as sprout puts it into Route. */
  pathOf(flow: FakeFlow): string {
    return `<sip:${this.modules.flows.access(flow).token}@${CORE}:5058;transport=tcp;lr>`;
  }
}

export interface RequestOptions {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly via?: string;
  readonly contact?: string | null;
  readonly headers?: readonly string[];
  /** A session description, unless the headers say something else. */
  readonly body?: string | undefined;
}

/** What ends a message. */
function bodyLines(body: string | undefined): readonly string[] {
  if (body === undefined) return ["Content-Length: 0", "", ""];
  const type = body.startsWith("v=") ? ["Content-Type: application/sdp"] : [];
  return [...type, `Content-Length: ${body.length}`, "", body];
}

export interface Sent {
  readonly message: SipMessage;
  readonly flow: FakeFlow;
  readonly text: string;
}

export function only(sent: readonly Sent[]): Sent {
  assert.equal(sent.length, 1, sent.map((one) => one.text).join("\n"));
  const [one] = sent;
  assert.ok(one);
  return one;
}

export function parsed(text: string): SipMessage {
  const result = parseMessage(text);
  assert.equal(result.kind, "message", text);
  return result.kind === "message" ? result.message : assert.fail();
}

export function uri(text: string): Uri {
  return parseUri(text) ?? assert.fail(text);
}
