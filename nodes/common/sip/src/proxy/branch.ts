import { createHmac, createSecretKey, hash, type KeyObject, randomBytes } from "node:crypto";
import type { Identifiers } from "../message/identifiers.ts";
import type { SipMessage } from "../message/message.ts";
import { MAGIC_COOKIE } from "../message/via.ts";
import { loopHash } from "./loop-detection.ts";

const WITH_ACK: ReadonlySet<string> = new Set(["INVITE", "ACK", "CANCEL"]);

/** 96 bits: no two transactions of a pool meet by chance. */
const HASH_LENGTH = 16;

/**
 * Branches of forwarded requests (RFC 3261 §16.6 step 8), made as §16.11 tells stateless proxies: from the transaction a
 * request came in and from where it goes, keyed for the pool. So whatever member forwards it, and how often, the next hop
 * knows it again, and so does whoever gets its CANCEL.
 */
export class Branches {
  /** What every branch of the pool begins with. */
  readonly prefix: string;
  /** "": of no pool. */
  readonly #key: string;
  readonly #identifiers: Identifiers;

  /** `key`: one for all members of a pool, at least 128 bits. Without one branches are counted: nobody else has to make them. */
  constructor(identifiers: Identifiers, poolKey?: KeyObject) {
    const key = poolKey ?? createSecretKey(randomBytes(32));
    const derive = (what: string): string =>
      createHmac("sha256", key).update(what).digest("base64url").replace(/[-_]/g, "x");
    this.prefix = MAGIC_COOKIE + derive("branch prefix").slice(0, 8);
    this.#key = poolKey === undefined ? "" : derive("branch").slice(0, 22);
    this.#identifiers = identifiers;
  }

  /**
   * For a request on its way out, our Via not yet on it. `attempt` tells those apart that go to the same place and must differ. `sole`:
   * of a request that goes to one place only, whatever Request-URI that has; loops are noticed elsewhere.
   */
  of(request: SipMessage, attempt: number, sole = false): string {
    const via = request.topVia;
    if (via === undefined || this.#key === "") return this.#marked(request, this.#fresh());
    if (sole) return `${this.prefix}${this.#digest(request, via, "", attempt)}`;
    let way = `${request.requestUri}\n`;
    for (const route of request.lines("Route")) way += `${route}\n`;
    return this.#marked(request, this.#digest(request, via, way, attempt));
  }

  #marked(request: SipMessage, own: string): string {
    // RFC 5393 §4.2. Inside a dialog Route sets end by themselves; an ACK has nobody else to stop it, and that of a refusal has the
    // branch of its INVITE.
    const mayLoop = request.toTag === "" || WITH_ACK.has(request.method);
    return mayLoop ? `${this.prefix}${own}.${loopHash(request)}` : `${this.prefix}${own}`;
  }

  #fresh(): string {
    return this.#identifiers.branch().slice(MAGIC_COOKIE.length);
  }

  #digest(
    request: SipMessage,
    { branch, host, port }: { branch: string; host: string; port: number | undefined },
    way: string,
    attempt: number,
  ): string {
    // A third of the cost of an HMAC; the hash is cut, so nothing can be appended.
    let text = `${this.#key}${branch}\n${host}:${port ?? ""}\n${way}`;
    if (attempt > 0) text += `${attempt}\n`;
    // A branch without the cookie is not unique (RFC 3261 §17.2.3).
    if (!branch.startsWith(MAGIC_COOKIE)) text += rfc2543Key(request);
    return hash("sha256", text, "base64url").slice(0, HASH_LENGTH);
  }
}

function rfc2543Key(request: SipMessage): string {
  const { fromTag, toTag, callId, cseqNumber } = request;
  return `${fromTag}\n${toTag}\n${callId}\n${cseqNumber}\n${request.top("Via") ?? ""}\n`;
}
