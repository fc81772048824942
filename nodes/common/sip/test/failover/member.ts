/**
 * A member of a pool of proxies as a process of its own, for kill-member.test.ts. Its environment says where requests for bob
 * go (CALLEE_EDGE) and when it dies (DIE: "invite", "answer" or nothing). Prints its port.
 */
import { createSecretKey } from "node:crypto";
import { systemClock } from "@ims/runtime";
import {
  NodeTransportLayer,
  ProxyCore,
  parseUri,
  popOwnRoutes,
  type RequestContext,
  type TransactionUser,
  trustedLimits,
} from "../../src/index.ts";
import { numericLocator } from "./numeric-locator.ts";

const POOL = "pool.example";
const { CALLEE_EDGE = "", DIE = "" } = process.env;
const clock = systemClock();

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const entity: TransactionUser = {
  functionalEntity: "S-CSCF",
  accepts: (uri) => uri.host === POOL,
  onRequest(context: RequestContext): void {
    const { method } = context.request;
    if (method === "INVITE" && DIE === "invite") return die();
    if (method === "REGISTER") return context.respond(200);
    const forwarded = context.forward();
    popOwnRoutes(forwarded, { own: { has: entity.accepts } });
    if (forwarded.toTag === "") {
      forwarded.append("Route", `<sip:${CALLEE_EDGE};transport=tcp;lr>`);
      if (method === "INVITE") forwarded.prepend("Record-Route", `<sip:${POOL};transport=tcp;lr>`);
    }
    context.onUpstream(({ status }) => {
      if (status === 200 && method === "INVITE" && DIE === "answer") die();
    });
    context.fork(forwarded, { destination: { kind: "uri", side: "core" } });
  },
};

const core: ProxyCore = new ProxyCore({
  sides: [{ name: "core", entity, strict: false, sentBy: POOL }],
  locator: numericLocator,
  clock,
  transport: (handler) => new NodeTransportLayer({ handler, clock, limits: trustedLimits }),
  poolKey: createSecretKey(Buffer.alloc(32, 1)),
  onDefect: (error) => {
    throw error;
  },
});

if (parseUri(`sip:${CALLEE_EDGE}`) === undefined) throw new Error("CALLEE_EDGE is no address");
const { port } = await core.transport.listen({ side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 });
process.stdout.write(`${port}\n`);
