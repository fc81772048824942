import type { SipMessage } from "../message/message.ts";
import { decimal } from "../message/values.ts";
import type { Entities } from "./entities.ts";
import { isLooped } from "./loop-detection.ts";
import { topRoute } from "./next-hop.ts";
import type { TransactionUser } from "./transaction-user.ts";

/** What decides about a request beside itself. */
export interface AdmissionParts {
  readonly entities: Entities;
  /** option-tags that may stand in Proxy-Require. */
  readonly proxyRequire: ReadonlySet<string>;
  /** What every branch of this process begins with. */
  readonly branchPrefix: string;
}

/** Who gets a request; with a fault, as whom it is refused. */
export interface Admission {
  readonly entity: TransactionUser;
  readonly fault?: {
    readonly status: number;
    readonly reason: string;
    readonly edit?: (response: SipMessage) => void;
  };
}

const SCHEMES: ReadonlySet<string> = new Set(["sip", "sips", "tel", "urn"]);

/** RFC 3261 §16.3 steps 2 to 5 and §16.4. May rewrite the request when a strict router was on its way. */
export function admit(
  request: SipMessage,
  side: { readonly entity: TransactionUser; readonly strict: boolean },
  { entities, proxyRequire, branchPrefix }: AdmissionParts,
): Admission {
  const { entity } = side;
  const refuse = (status: number, reason: string): Admission => ({ entity, fault: { status, reason } });

  // Step 2: a Request-URI of a scheme that can be routed.
  const { target } = request;
  if (target === undefined) return refuse(400, "Bad Request (Request-URI)");
  if (!SCHEMES.has(target.scheme)) return refuse(416, "Unsupported URI Scheme");
  const isOwn = entities.has(target);

  // Step 3: Max-Forwards; OPTIONS to ourselves is answered all the same.
  if (decimal(request.header("Max-Forwards") ?? "70") === 0 && !(request.method === "OPTIONS" && isOwn))
    return refuse(483, "Too Many Hops");

  // Step 4 (RFC 5393 §4.2).
  if (request.toTag === "" && isLooped(request, branchPrefix, !side.strict))
    return refuse(482, "Loop Detected");

  // Step 5.
  if (request.has("Proxy-Require")) {
    const unknown = request.values("Proxy-Require").filter((tag) => !proxyRequire.has(tag.toLowerCase()));
    const edit = (response: SipMessage): void => void response.append("Unsupported", unknown.join(", "));
    if (unknown.length > 0) return { entity, fault: { status: 420, reason: "Bad Extension", edit } };
  }

  // §16.4: a strict router put our Record-Route into the Request-URI.
  if (isOwn && target.parameters.has("lr") && request.has("Route")) undoStrictRouting(request);

  const route = topRoute(request);
  if (route === "malformed") return refuse(400, "Bad Request (Route)");
  // A stranger's Route does not choose between entities: his side's entity judges it.
  if (route === undefined || side.strict) return { entity };
  return { entity: entities.accepting(route) ?? entity };
}

function undoStrictRouting(request: SipMessage): void {
  const routes = request.values("Route");
  const last = routes.pop() ?? "";
  const open = last.indexOf("<");
  request.remove("Route");
  // One line: thousands of values must not become thousands of lines.
  request.append("Route", [`<${request.requestUri}>`, ...routes].join(", "));
  request.requestUri = open < 0 ? last : last.slice(open + 1, last.indexOf(">", open));
}
