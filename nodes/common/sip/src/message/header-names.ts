/** Header fields this stack knows by number: RFC 3261 §20 and the extensions an IMS core touches. [name, compact form, comma list] */
const KNOWN = [
  ["Via", "v", true], // RFC 3261 §20.42
  ["From", "f", false],
  ["To", "t", false],
  ["Call-ID", "i", false],
  ["CSeq", "", false],
  ["Max-Forwards", "", false],
  ["Contact", "m", true],
  ["Route", "", true],
  ["Record-Route", "", true],
  ["Content-Length", "l", false],
  ["Content-Type", "c", false],
  ["Expires", "", false],
  ["Min-Expires", "", false],
  ["Require", "", true],
  ["Proxy-Require", "", true],
  ["Supported", "k", true],
  ["Unsupported", "", true],
  ["Allow", "", true],
  ["Authorization", "", false],
  ["WWW-Authenticate", "", false],
  ["Proxy-Authorization", "", false],
  ["Proxy-Authenticate", "", false],
  ["Authentication-Info", "", false],
  ["Path", "", true], // RFC 3327
  ["Service-Route", "", true], // RFC 3608
  ["P-Associated-URI", "", true], // RFC 7315
  ["P-Asserted-Identity", "", true], // RFC 3325
  ["P-Preferred-Identity", "", true],
  ["P-Asserted-Service", "", true], // RFC 6050
  ["P-Preferred-Service", "", true],
  ["P-Charging-Vector", "", false],
  ["P-Charging-Function-Addresses", "", false],
  ["P-Visited-Network-ID", "", true],
  ["P-Access-Network-Info", "", true],
  ["P-Called-Party-ID", "", false],
  ["P-Served-User", "", false], // RFC 5502
  ["P-Profile-Key", "", false], // RFC 5002
  ["P-User-Database", "", false], // RFC 4457
  ["P-Early-Media", "", false], // RFC 5009
  ["P-Private-Network-Indication", "", false], // RFC 7316
  ["Privacy", "", false],
  ["Security-Client", "", true], // RFC 3329
  ["Security-Server", "", true],
  ["Security-Verify", "", true],
  ["Retry-After", "", false],
  ["RSeq", "", false],
  ["RAck", "", false],
  ["Reason", "", true],
  ["Event", "o", false],
  ["Subscription-State", "", false],
  ["Refer-To", "r", false],
  ["Referred-By", "b", false],
  ["Session-Expires", "x", false],
  ["Min-SE", "", false],
  ["Accept", "", true],
  ["Accept-Contact", "a", true],
  ["Reject-Contact", "j", true],
  ["Request-Disposition", "d", true],
  ["Subject", "s", false],
  ["Content-Encoding", "e", true],
  ["Identity", "y", false],
  ["Max-Breadth", "", false], // RFC 5393
  ["Flow-Timer", "", false], // RFC 5626
  ["Date", "", false],
  ["Timestamp", "", false],
  ["User-Agent", "", false],
  ["Server", "", false],
  ["Warning", "", true],
  ["History-Info", "", true],
  ["Feature-Caps", "", true],
  ["Resource-Priority", "", true],
  ["Geolocation", "", true],
  ["Replaces", "", false],
  ["In-Reply-To", "", true],
  ["Error-Info", "", true],
  ["Alert-Info", "", true],
  ["Call-Info", "", true],
  ["Accept-Encoding", "", true],
  ["Accept-Language", "", true],
  ["Content-Language", "", true],
  ["Content-Disposition", "", false],
  ["MIME-Version", "", false],
  ["Organization", "", false],
  ["Priority", "", false],
  ["Reply-To", "", false],
  ["Allow-Events", "u", true],
  ["Relayed-Charge", "", true], // TS 24.229 §7.2
  ["Restoration-Info", "", false],
  ["Cellular-Network-Info", "", true],
  ["Service-Interact-Info", "", true],
  ["Response-Source", "", false],
  ["Priority-Share", "", false],
  ["Attestation-Info", "", false],
  ["Origination-Id", "", false],
  ["Diversion", "", true], // RFC 5806
  ["Remote-Party-ID", "", true], // what RFC 3325 took the place of; phones still show it
] as const;

/** Name of a header field known to the stack, in its canonical spelling. */
export type HeaderName = (typeof KNOWN)[number][0];

/** Number of a known header field; 0 stands for every other name. */
export type HeaderId = number;

export const HeaderIds = Object.freeze(
  Object.fromEntries(KNOWN.map(([name], index) => [name, index + 1])),
) as Readonly<Record<HeaderName, HeaderId>>;

const names: readonly string[] = ["", ...KNOWN.map(([name]) => name)];
const commaLists: readonly boolean[] = [false, ...KNOWN.map(([, , list]) => list)];

export function headerNameOf(id: HeaderId): string {
  return names[id] ?? "";
}

/** May several values share one line, separated by commas (RFC 3261 §7.3.1)? */
export function isCommaList(id: HeaderId): boolean {
  return commaLists[id] ?? false;
}

// Candidates by length and first letter: one or two comparisons find a name without making a string.
const buckets: (readonly [lowerCase: string, id: HeaderId])[][] = [];
function bucketOf(length: number, firstCharCode: number): number {
  return length * 32 + (firstCharCode & 31);
}
function register(name: string, id: HeaderId): void {
  const lowerCase = name.toLowerCase();
  const index = bucketOf(name.length, lowerCase.charCodeAt(0));
  const bucket = buckets[index] ?? [];
  bucket.push([lowerCase, id]);
  buckets[index] = bucket;
}
KNOWN.forEach(([name, compact], index) => {
  register(name, index + 1);
  if (compact !== "") register(compact, index + 1);
});
for (let index = 0; index < buckets.length; index++) buckets[index] ??= [];

/** Number of the header name at text[start, end), in any case or compact form; 0 when unknown. */
export function headerIdAt(text: string, start: number, end: number): HeaderId {
  const candidates = buckets[bucketOf(end - start, text.charCodeAt(start))];
  if (candidates === undefined) return 0;
  next: for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index];
    if (candidate === undefined) continue;
    const lowerCase = candidate[0];
    for (let at = 0; at < lowerCase.length; at++) {
      let code = text.charCodeAt(start + at);
      if (code >= 65 && code <= 90) code |= 32;
      if (code !== lowerCase.charCodeAt(at)) continue next;
    }
    return candidate[1];
  }
  return 0;
}

export function headerIdOf(name: string): HeaderId {
  return headerIdAt(name, 0, name.length);
}

/** A set of known header names, for SipMessage.removeAll, hasAny and (31 names at most) SipMessage.repeated. */
export class HeaderSet {
  /** Place in the set counted from 1; 0 for no member. */
  readonly #places = new Uint8Array(KNOWN.length + 1);

  constructor(headers: Iterable<HeaderName>) {
    let place = 0;
    for (const name of headers) this.#places[HeaderIds[name]] = ++place;
  }

  hasId(id: HeaderId): boolean {
    return this.#places[id] !== 0;
  }

  /** Place of a member, from 0. */
  indexOf(id: HeaderId): number {
    return (this.#places[id] ?? 0) - 1;
  }
}
