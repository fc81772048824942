import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { SessionCase } from "@ims/ims";

/** Original dialog identifier: TS 24.229 §5.4.3.2 and §5.4.3.3. All that is needed to go on with a service chain. */
export interface OriginalDialog {
  readonly sessionCase: SessionCase;
  /** Served user, canonical. */
  readonly impu: string;
  /** The wildcarded identity that covers the served user; "" when none does. */
  readonly wildcard: string;
  /** Which criteria were met last: their list, priority, and place among those of that priority. */
  readonly list: "profile" | "fallback";
  readonly priority: number;
  readonly place: number;
  /** Print of the Request-URI that the application server got; "" in originating cases, where it may change. */
  readonly uriPrint: string;
}

const PREFIX = "odi_";
const MAC_BYTES = 12;
const MAX_TOKEN = 2_048;
const CASES: ReadonlySet<number> = new Set(Object.values(SessionCase));

/**
 * Original dialog identifiers as the user part of our own Route: signed, and all in themselves, so that any member of the pool
 * goes on with the chain, also when the one that began it is gone. The same chain gives the same token: a request sent again by
 * another member is a retransmission to the application server.
 */
export class OdiTokens {
  readonly #key: Buffer;
  readonly #before: string;
  readonly #after: string;

  /** `key`: one for the whole pool; `scscfUri`: whom the application server sends the request back to. */
  constructor(key: KeyObject, scscfUri: string) {
    this.#key = createHmac("sha256", key).update("original dialog identifier").digest();
    const start = scscfUri.indexOf(":") + 1;
    this.#before = scscfUri.slice(0, start);
    this.#after = scscfUri.slice(scscfUri.indexOf("@") < 0 ? start : scscfUri.indexOf("@") + 1);
  }

  /** Route value that leads back to us. */
  route(dialog: OriginalDialog): string {
    const lr = /;lr(?:[;=]|$)/i.test(this.#after) ? "" : ";lr";
    const { TERMINATING_REGISTERED, TERMINATING_UNREGISTERED } = SessionCase;
    const { sessionCase } = dialog;
    const terminates = sessionCase === TERMINATING_REGISTERED || sessionCase === TERMINATING_UNREGISTERED;
    return `<${this.#before}${this.issue(dialog)}@${this.#after}${lr}${terminates ? "" : ";orig"}>`;
  }

  issue({ sessionCase, list, priority, place, impu, wildcard, uriPrint }: OriginalDialog): string {
    const head = `1${sessionCase}${list === "profile" ? "p" : "f"}${priority}.${place}`;
    const text = Buffer.from(`${head}\n${impu}\n${wildcard}\n${uriPrint}`);
    return PREFIX + Buffer.concat([this.#mac(text), text]).toString("base64url");
  }

  /** "none": the user part is something else; "forged": it is not signed with the pool's key. */
  read(user: string): OriginalDialog | "none" | "forged" {
    if (!user.startsWith(PREFIX)) return "none";
    const coded = user.slice(PREFIX.length);
    if (coded.length > MAX_TOKEN || !/^[A-Za-z0-9_-]+$/.test(coded)) return "forged";
    const octets = Buffer.from(coded, "base64url");
    const text = octets.subarray(MAC_BYTES);
    // One spelling per token: spare bits of the last character are zero.
    if (text.length === 0 || octets.toString("base64url") !== coded) return "forged";
    if (!timingSafeEqual(octets.subarray(0, MAC_BYTES), this.#mac(text))) return "forged";
    return decode(text.toString()) ?? "forged";
  }

  #mac(text: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(text).digest().subarray(0, MAC_BYTES);
  }
}

function decode(text: string): OriginalDialog | undefined {
  const [head = "", impu = "", wildcard = "", uriPrint = ""] = text.split("\n");
  const match = /^1([0-9])([pf])([0-9]+)\.([0-9]+)$/.exec(head);
  const sessionCase = Number(match?.[1]);
  if (match === null || !CASES.has(sessionCase)) return undefined;
  return {
    sessionCase: sessionCase as SessionCase,
    list: match[2] === "p" ? "profile" : "fallback",
    priority: Number(match[3]),
    place: Number(match[4]),
    impu,
    wildcard,
    uriPrint,
  };
}
