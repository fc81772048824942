import type { SipMessage } from "../message/message.ts";
import { decimal } from "../message/values.ts";

/** RFC 5393 §5.3.3: what a request without Max-Breadth may be forked to. */
const DEFAULT_BREADTH = 60;

/**
 * Hash of everything that decides where a request goes (RFC 5393 §4.2): equal again at our door means a loop, different
 * means a spiral. FNV-1a, 32 bit, base 36.
 */
export function loopHash(request: SipMessage): string {
  let hash = 0x811c9dc5;
  const mix = (text: string): void => {
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash = Math.imul(hash ^ 0x0a, 0x01000193);
  };
  mix(request.requestUri);
  mix(request.fromTag);
  // In place of the To tag: the ACK of a refusal has one, and goes where its INVITE went, which had none.
  mix("");
  mix(request.callId);
  // Not the method, nor what stands in requests only: a CANCEL goes where its INVITE went.
  mix(String(request.cseqNumber));
  for (const { text } of request.routes) mix(text);
  return (hash >>> 0).toString(36);
}

/**
 * Has this very request passed this pool before? `prefix` starts every branch of its. `neighbour`: it may come from another
 * member that hands it over as it is; only what is below that member's Via is looked at, so a loop is seen a hop later.
 */
export function isLooped(request: SipMessage, prefix: string, neighbour = false): boolean {
  if (request.count("Via") < 2 && !(request.header("Via") ?? "").includes(",")) return false;
  const lines = request.lines("Via");
  if (!lines.some((line) => line.includes(prefix))) return false;
  const suffix = `.${loopHash(request)}`;
  return request.values("Via").some((via, index) => {
    if (neighbour && index === 0) return false;
    const start = via.indexOf(prefix);
    if (start < 0) return false;
    const end = via.indexOf(";", start);
    return via.slice(start, end < 0 ? undefined : end).endsWith(suffix);
  });
}

/** Max-Breadth of each of `branches` parallel forks (RFC 5393 §5.3.3); undefined when there is not enough for all. */
export function breadthOfEach(request: SipMessage, branches: number): number | undefined {
  const total = Math.min(decimal(request.header("Max-Breadth") ?? "") ?? DEFAULT_BREADTH, DEFAULT_BREADTH);
  const each = Math.floor(total / branches);
  return each < 1 ? undefined : each;
}
