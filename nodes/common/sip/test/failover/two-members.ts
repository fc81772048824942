import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Clock } from "@ims/runtime";
import {
  type Flow,
  type Locator,
  NodeTransportLayer,
  ProxyCore,
  parseMessage,
  popOwnRoutes,
  type SipMessage,
  type Target,
  type TransactionUser,
  trustedLimits,
} from "../../src/index.ts";
import { numericLocator } from "./numeric-locator.ts";

const HOST = "127.0.0.1";
const POOL = "pool.example";
/** Of the machine; what it still waits for keeps no test from ending. */
const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  setTimer(ms, fn) {
    const timer = setTimeout(fn, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** One party of a call, on a TCP connection of its edge. */
export class Party {
  readonly layer: NodeTransportLayer;
  readonly heard: SipMessage[] = [];
  flow: Flow | undefined;
  #waiting: { matches: (message: SipMessage) => boolean; resolve: (message: SipMessage) => void }[] = [];

  constructor(t: TestContext) {
    this.layer = new NodeTransportLayer({
      clock,
      handler: {
        onMessage: (text, flow) => {
          this.flow = flow;
          const parsed = parseMessage(text);
          if (parsed.kind !== "message") throw new Error(text);
          this.heard.push(parsed.message);
          for (const one of this.#waiting.filter(({ matches }) => matches(parsed.message)))
            one.resolve(parsed.message);
        },
      },
    });
    t.after(() => this.layer.stop());
  }

  /** The first message so far or to come that fits. */
  hears(what: string | number, timeoutMs = 3_000): Promise<SipMessage> {
    const matches = (message: SipMessage): boolean =>
      typeof what === "string" ? message.method === what : message.status === what;
    const known = this.heard.find(matches);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = this.heard.map(({ method, status }) => method || status).join(" ");
        reject(new Error(`${what} did not come, only: ${seen}`));
      }, timeoutMs);
      this.#waiting.push({
        matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  send(text: string): void {
    if (this.flow?.send(text) !== true) throw new Error("no connection");
  }

  answer(request: SipMessage, status: number): void {
    const lines = [
      `SIP/2.0 ${status} Answer`,
      ...request.values("Via").map((via) => `Via: ${via}`),
      ...request.values("Record-Route").map((route) => `Record-Route: ${route}`),
      `From: ${request.header("From")}`,
      `To: ${request.header("To")}${request.toTag === "" ? ";tag=callee" : ""}`,
      `Call-ID: ${request.callId}`,
      `CSeq: ${request.header("CSeq")}`,
      "Contact: <sip:bob@callee.invalid>",
    ];
    this.send(`${lines.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`);
  }
}

export interface Bed {
  readonly caller: Party;
  readonly callee: Party;
  /** The member that gets requests as long as it lives, and the one that gets them then. */
  readonly first: ChildProcess;
  readonly second: ChildProcess;
  /** Sends a request of the caller, in the dialog when there is an answer to take the route from. */
  request(method: string, options?: { readonly answer?: SipMessage; readonly branch?: string }): void;
  callsOut(): number;
  /** Resolves when the caller's edge knows that the first member answers keep-alives. */
  watched(): Promise<void>;
}

/** Caller, its edge, two members of a pool, the edge of the callee, callee. */
export async function twoMembers(t: TestContext, die = ""): Promise<Bed> {
  const caller = new Party(t);
  const callee = new Party(t);
  const calleePort = (await callee.layer.listen(listening("ue"))).port;
  const members: Target[] = [];
  const locator: Locator = {
    locate: (uri) => (uri.host === POOL ? members : numericLocator.locate(uri)),
    locateVia: (via) => (via.host === POOL ? members : []),
  };
  const towardsCallee = edge(t, locator, (uri) => uri.host === HOST && uri.port !== calleePort, {
    side: "ue",
    targets: [{ protocol: "TCP", address: HOST, port: calleePort }],
  });
  const calleeEdge = (await towardsCallee.transport.listen(listening("core"))).port;
  const towardsPool = edge(t, locator, (uri) => uri.host === HOST, { side: "core", targets: undefined });
  await towardsPool.transport.listen(listening("core"));
  const callerEdge = (await towardsPool.transport.listen(listening("ue"))).port;
  const [first, second] = await Promise.all([member(t, calleeEdge, die), member(t, calleeEdge, "")]);
  members.push(
    { protocol: "TCP", address: HOST, port: first.port },
    { protocol: "TCP", address: HOST, port: second.port, priority: 1 },
  );
  caller.flow = caller.layer.flowTo({ protocol: "TCP", address: HOST, port: callerEdge }, "ue");
  let cseq = 0;
  return {
    caller,
    callee,
    first: first.process,
    second: second.process,
    request(method, { answer, branch } = {}) {
      if (method !== "ACK" && method !== "CANCEL") cseq += 1;
      const routes = answer?.values("Record-Route").reverse() ?? [`<sip:${POOL};transport=tcp;lr>`];
      const lines = [
        `${method} sip:bob@${answer === undefined ? POOL : `${HOST}:${calleeEdge}`} SIP/2.0`,
        `Via: SIP/2.0/TCP caller.invalid;branch=${branch ?? `z9hG4bK${method}${cseq}`}`,
        `Route: ${routes.join(", ")}`,
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=caller",
        `To: ${answer?.header("To") ?? "<sip:bob@example.com>"}`,
        "Call-ID: call",
        `CSeq: ${cseq} ${method}`,
        "Contact: <sip:alice@caller.invalid>",
      ];
      caller.send(`${lines.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`);
    },
    async watched() {
      while (![...towardsPool.hops.hops()].some(({ answersPings }) => answersPings))
        await new Promise((resolve) => setTimeout(resolve, 20));
    },
    callsOut: () => callee.heard.filter(({ method }) => method === "INVITE").length,
  };
}

function listening(side: string) {
  return { side, protocol: "TCP", host: HOST, port: 0 } as const;
}

/** An edge proxy: requests from its users to the core, requests from the core to its user. */
function edge(
  t: TestContext,
  locator: Locator,
  isOwn: TransactionUser["accepts"],
  { side, targets }: { readonly side: string; readonly targets: readonly Target[] | undefined },
): ProxyCore {
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: isOwn,
    onRequest(context) {
      const forwarded = context.forward();
      popOwnRoutes(forwarded, { own: { has: isOwn } });
      context.fork(forwarded, {
        destination: targets === undefined ? { kind: "uri", side } : { kind: "targets", side, targets },
      });
    },
    onAck(context) {
      const forwarded = context.forward();
      popOwnRoutes(forwarded, { own: { has: isOwn } });
      context.send(
        forwarded,
        targets === undefined ? { kind: "uri", side } : { kind: "targets", side, targets },
      );
    },
  };
  const core: ProxyCore = new ProxyCore({
    sides: [
      { name: "ue", entity, strict: true },
      { name: "core", entity, strict: false },
    ],
    locator,
    clock,
    transport: (handler) => new NodeTransportLayer({ handler, clock, limits: trustedLimits }),
    onDefect: (error) => {
      throw error;
    },
  });
  t.after(() => core.stop());
  return core;
}

async function member(
  t: TestContext,
  calleeEdge: number,
  die: string,
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("member.ts", import.meta.url))], {
    env: { ...process.env, CALLEE_EDGE: `${HOST}:${calleeEdge}`, DIE: die },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => {
    child.kill("SIGCONT");
    child.kill("SIGKILL");
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { process: child, port: Number(line) };
}
