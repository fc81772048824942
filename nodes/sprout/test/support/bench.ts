import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { metricsRegister, Trail } from "@ims/runtime";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  authorizationToString,
  type DigestAlgorithm,
  digestHa1,
  digestResponse,
  ProxyCore,
  parseChallenge,
  parseMessage,
  type SessionTimerOptions,
  type Side,
  SipLocator,
  type SipMessage,
  SipTrail,
  sessionTimers,
} from "@ims/sip";
import { type FakeFlow, FakeTransportLayer } from "@ims/sip/testing";
import { type KvStore, memoryStore } from "@ims/store";
import type { ConfiguredScscf } from "../../src/icscf/scscf-selection.ts";
import type { RegistrationListener } from "../../src/scscf/modules.ts";
import { createEntities, type SproutEntities, type SproutParts } from "../../src/sprout.ts";
import { FakeCx } from "./fake-cx.ts";

export const SCSCF = "sip:127.0.0.1:5054;transport=tcp";
export const ICSCF = "sip:127.0.0.1:5052;transport=tcp";
export const PATH = "<sip:token@127.0.0.1:5058;transport=tcp;lr;ob>";

const POOL = "sprout.example.com";

export interface BenchOptions {
  readonly options?: Partial<SproutParts["options"]>;
  readonly scscfs?: readonly ConfiguredScscf[];
  readonly listeners?: readonly RegistrationListener[];
  readonly analytics?: (clock: FakeClock) => SproutParts["analytics"];
  readonly operatorCriteria?: SproutParts["operatorCriteria"];
  readonly numbers?: SproutParts["numbers"];
  readonly sessionTimers?: SessionTimerOptions;
  /** It is a member of a pool: others know the branches that it makes. */
  readonly pooled?: boolean;
  /** Who takes charging events of the I-CSCF. */
  readonly icscfCharging?: SproutParts["icscfCharging"];
  /** Further entities of the process, by their side. */
  readonly sides?: (clock: FakeClock) => readonly Side[];
  /** What members of a pool have in common. */
  readonly shared?: Partial<Pick<SproutParts, "store" | "challenges" | "durable">> & {
    readonly clock?: FakeClock;
    readonly cx?: FakeCx;
  };
}

/** Sprout on a transport in memory, between a P-CSCF at 127.0.0.1:5058 and an HSS in words. */
export class Bench {
  readonly clock: FakeClock;
  readonly cx: FakeCx;
  readonly transport = new FakeTransportLayer();
  readonly store: KvStore;
  readonly metrics = metricsRegister();
  readonly entities: SproutEntities;
  readonly core: ProxyCore;
  readonly defects: unknown[] = [];
  readonly trail: Trail;
  /** Connections that the P-CSCF opened. */
  readonly toIcscf: FakeFlow;
  readonly toScscf: FakeFlow;
  #branch = 0;

  constructor({
    options = {},
    scscfs,
    listeners = [],
    analytics,
    shared = {},
    operatorCriteria,
    numbers,
    pooled = false,
    sides,
    sessionTimers: timers,
    icscfCharging,
  }: BenchOptions = {}) {
    const clock = shared.clock ?? fakeClock();
    this.clock = clock;
    this.cx = shared.cx ?? new FakeCx();
    this.store = shared.store ?? memoryStore({ clock });
    this.entities = createEntities({
      options: {
        homeDomain: "example.com",
        aliasDomains: [],
        scscfUri: SCSCF,
        icscfUri: ICSCF,
        side: "scscf",
        digestAlgorithms: ["SHA-256", "MD5"],
        minExpires: 60,
        maxExpires: 3600,
        maxBindings: 4,
        allowForeignDomains: false,
        unregisteredSeconds: 300,
        confirmReregistrations: true,
        asTimeoutContinuedMs: 2_000,
        asTimeoutTerminatedMs: 4_000,
        rejectIfNoMatchingIfcs: false,
        dummyApplicationServer: "",
        minSubscription: 60,
        maxSubscription: 600_000,
        scscfTimeoutMs: 10_000,
        reuseAuthorization: false,
        localLookup: false,
        profileCache: 100,
        gruuKey: "00112233445566778899aabbccddeeff",
        ...options,
      },
      scscfs: scscfs ?? [{ uri: SCSCF, capabilities: [], priority: 0, weight: 1 }],
      cx: this.cx,
      store: this.store,
      ...(shared.challenges === undefined ? {} : { challenges: shared.challenges }),
      ...(shared.durable === undefined ? {} : { durable: shared.durable }),
      clock,
      register: this.metrics,
      listeners,
      analytics: analytics?.(clock),
      random: () => 0,
      originate: (request, destination, handler) => this.core.originate(request, destination, handler),
      numbers,
      icscfCharging,
      sessionTimers: timers && sessionTimers(timers),
      ...(operatorCriteria === undefined ? {} : { operatorCriteria }),
    });
    const none = async (): Promise<never[]> => [];
    this.trail = new Trail({ bytes: 1_000_000, steps: 1_000, clock, origin: () => 0 });
    this.core = new ProxyCore({
      sides: [
        { name: "icscf", entity: this.entities.icscf, strict: false, ...(pooled ? { sentBy: POOL } : {}) },
        { name: "scscf", entity: this.entities.scscf, strict: false, ...(pooled ? { sentBy: POOL } : {}) },
        ...(sides?.(clock) ?? []),
      ],
      ...(pooled ? { poolKey: createSecretKey(Buffer.alloc(32, 5)) } : {}),
      locator: new SipLocator({
        dns: { naptr: none, srv: none, addresses: none },
        clock,
        supported: ["TCP", "UDP"],
      }),
      clock,
      transport: (handler) => {
        this.transport.handler = handler;
        return this.transport;
      },
      onDefect: (error) => this.defects.push(error),
      trail: new SipTrail(this.trail),
    });
    const peer = { protocol: "TCP", remoteAddress: "127.0.0.1" } as const;
    this.toIcscf = this.transport.connect({ side: "icscf", localPort: 5052, ...peer });
    this.toScscf = this.transport.connect({ side: "scscf", localPort: 5054, ...peer });
  }

  /** A message from the P-CSCF; what leaves because of it. */
  async send(text: string, flow: FakeFlow = this.toIcscf): Promise<SipMessage[]> {
    flow.receive(text);
    return this.settled();
  }

  /** What has left since the last look, once promises have settled. A defect fails the test. */
  async settled(): Promise<SipMessage[]> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (this.defects.length > 0) throw this.defects[0];
    return this.transport
      .takeSent()
      .map(({ text }) => parsed(text))
      .filter((message) => message.status !== 100);
  }

  /** The one message that leaves. */
  async exchange(text: string, flow: FakeFlow = this.toIcscf): Promise<SipMessage> {
    const [only, ...more] = await this.send(text, flow);
    assert.equal(more.length, 0, `more than one message left: ${more.map(String).join("\n")}`);
    return only ?? assert.fail("nothing left");
  }

  /** What was decided about a call, as the trail has it. */
  async decisions(callId: string): Promise<string[]> {
    const { steps } = await this.trail.find({ keys: [callId], kinds: ["decision"], limit: 100, text: false });
    return steps.map(({ title }) => title);
  }

  async advance(ms: number): Promise<SipMessage[]> {
    await this.clock.advanceAsync(ms);
    return this.settled();
  }

  /** The flow that sprout opened to the P-CSCF (or whoever) on a port. */
  dialled(port = 5058): FakeFlow {
    return (
      this.transport.dialled.find((flow) => flow.remotePort === port) ??
      assert.fail(`nobody was dialled at ${port}`)
    );
  }

  request(method: string, fields: RequestFields): string {
    this.#branch++;
    const { uri, from = "sip:alice@example.com", to = uri, headers = [] } = fields;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TCP 127.0.0.1:5058;branch=${fields.branch ?? `z9hG4bK${this.#branch}`}`,
      "Max-Forwards: 69",
      `From: <${from}>;tag=${fields.fromTag ?? "f1"}`,
      `To: <${to}>${fields.toTag === undefined ? "" : `;tag=${fields.toTag}`}`,
      `Call-ID: ${fields.callId ?? `call-${this.#branch}`}`,
      `CSeq: ${fields.cseq ?? 1} ${method}`,
      "P-Charging-Vector: icid-value=abc",
      ...headers,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
  }

  register(fields: RegisterFields = {}): string {
    const impu = fields.impu ?? "sip:alice@example.com";
    return this.request("REGISTER", {
      uri: "sip:example.com",
      from: impu,
      to: impu,
      callId: fields.callId ?? `reg-${impu}`,
      cseq: fields.cseq ?? ++this.#branch,
      headers: [
        `Path: ${fields.path ?? PATH}`,
        'P-Visited-Network-ID: "example.com"',
        ...(fields.contact === null ? [] : [`Contact: ${fields.contact ?? "<sip:alice@192.0.2.1:5060>"}`]),
        ...(fields.expires === undefined ? [] : [`Expires: ${fields.expires}`]),
        ...(fields.authorization === undefined ? [] : [`Authorization: ${fields.authorization}`]),
        ...(fields.headers ?? []),
      ],
    });
  }

  /** The credentials for the first challenge of a 401 that we can answer. */
  answerTo(challenged: SipMessage, how: AnswerOptions = {}): string {
    const lines = challenged.lines("WWW-Authenticate");
    const challenge = parseChallenge(lines[how.challenge ?? 0] ?? "");
    assert.ok(challenge, `no challenge: ${challenged}`);
    const algorithm: DigestAlgorithm = challenge.algorithm ?? "MD5";
    const username = how.username ?? "alice@example.com";
    const input = {
      algorithm,
      ha1: how.ha1 ?? digestHa1(algorithm, username, challenge.realm, how.password ?? "secret"),
      nonce: challenge.nonce,
      method: "REGISTER",
      uri: "sip:example.com",
      ...(how.qop === null ? {} : { qop: "auth" as const, nc: how.nc ?? "00000001", cnonce: "c" }),
    };
    return authorizationToString({
      ...input,
      username,
      realm: challenge.realm,
      response: digestResponse(input),
      ...(how.integrityProtected === undefined ? {} : { integrityProtected: how.integrityProtected }),
    });
  }

  /** Registers with challenge and answer; the 200. */
  async registered(fields: RegisterFields = {}, how: AnswerOptions = {}): Promise<SipMessage> {
    const challenged = await this.exchange(this.register(fields));
    assert.equal(challenged.status, 401, String(challenged));
    const accepted = await this.exchange(
      this.register({ ...fields, authorization: this.answerTo(challenged, how) }),
    );
    assert.equal(accepted.status, 200, String(accepted));
    return accepted;
  }

  /** The other end's answer to a request that reached it. */
  answer(asked: SipMessage, status: number, headers: readonly string[] = []): string {
    return [
      `SIP/2.0 ${status} Whatever`,
      ...asked.values("Via").map((via) => `Via: ${via}`),
      ...asked.values("Record-Route").map((one) => `Record-Route: ${one}`),
      `From: ${asked.header("From")}`,
      `To: ${asked.header("To")}${asked.toTag === "" ? ";tag=t1" : ""}`,
      `Call-ID: ${asked.callId}`,
      `CSeq: ${asked.header("CSeq")}`,
      ...headers,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
  }
}

export interface RequestFields {
  readonly uri: string;
  readonly from?: string;
  readonly to?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly headers?: readonly string[];
}

export interface RegisterFields {
  readonly impu?: string;
  /** Null: none. */
  readonly contact?: string | null;
  readonly path?: string;
  readonly expires?: number;
  readonly callId?: string;
  readonly cseq?: number;
  readonly authorization?: string;
  readonly headers?: readonly string[];
}

export interface AnswerOptions {
  readonly username?: string;
  readonly password?: string;
  readonly ha1?: string;
  readonly nc?: string;
  /** Null: without qop. */
  readonly qop?: null;
  /** Which of several challenges. */
  readonly challenge?: number;
  readonly integrityProtected?: string;
}

export function parsed(text: string): SipMessage {
  const result = parseMessage(text);
  return result.kind === "message" ? result.message : assert.fail(`no message: ${text}`);
}

/** Alice and Bob, the users of most tests. */
export function benchWithUsers(options: BenchOptions = {}): Bench {
  const bench = new Bench(options);
  bench.cx.subscribers.push(
    { impi: "alice@example.com", impus: ["sip:alice@example.com", "tel:+15550001"], aliasGroup: "1" },
    { impi: "bob@example.com", impus: ["sip:bob@example.com"] },
  );
  return bench;
}

/** Bob registers like Alice does. */
export const BOB = { impu: "sip:bob@example.com", contact: "<sip:bob@192.0.2.2:5060>" } as const;
export const BOB_KEYS = { username: "bob@example.com" } as const;

/** Alice, who is registered, calls Bob: the INVITE as the P-CSCF sends it to her S-CSCF. Gives its first answer. */
export function callBob(b: Bench, callId: string): Promise<SipMessage> {
  const text = b.request("INVITE", {
    uri: "sip:bob@example.com",
    callId,
    headers: [
      `Route: <${SCSCF};lr;orig>`,
      "Contact: <sip:alice@192.0.2.1:5060>",
      "P-Asserted-Identity: <sip:alice@example.com>",
    ],
  });
  return b.exchange(text, b.toScscf);
}
