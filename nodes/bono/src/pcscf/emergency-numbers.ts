import { emergencyService } from "@ims/ims";

/** Longer than any emergency number with its separators. */
const MAX_LENGTH = 24;
const SEPARATORS = /[-.()]/g;

/** Which requests are emergency requests: the configurable lists of TS 24.229 §5.2.10.1. */
export class EmergencyNumbers {
  /** Service URN by number. */
  readonly #services: ReadonlyMap<string, string>;
  readonly #homeDomain: string;

  /** `homeDomain`: where a user part without user=phone is a number too, in lower case. */
  constructor(services: ReadonlyMap<string, string>, homeDomain: string) {
    this.#services = services;
    this.#homeDomain = homeDomain;
  }

  /** The emergency service that a Request-URI asks for; undefined: none. For other requests it costs one look at the first character. */
  serviceOf(requestUri: string): string | undefined {
    const first = requestUri.charCodeAt(0) | 0x20;
    if (first === 0x75) return emergencyService(requestUri); // "u"
    return this.#services.size === 0 ? undefined : this.#dialled(requestUri);
  }

  /** tel:112;phone-context=..., sip:112@home, sip:112;phone-context=...@anywhere;user=phone, user=dialstring (RFC 4967). */
  #dialled(uri: string): string | undefined {
    const start = uri.indexOf(":") + 1;
    let end = start;
    for (; end < uri.length && end - start <= MAX_LENGTH; end++) {
      const code = uri.charCodeAt(end);
      if (code === 0x40 || code === 0x3b || code === 0x3f) break;
    }
    if (end - start > MAX_LENGTH) return undefined;
    const service = this.#services.get(uri.slice(start, end).replace(SEPARATORS, ""));
    if (service === undefined) return undefined;
    const scheme = uri.slice(0, start - 1).toLowerCase();
    if (scheme === "tel") return service;
    const at = uri.indexOf("@", end);
    if ((scheme !== "sip" && scheme !== "sips") || at < 0) return undefined;
    const [host = "", ...rest] = uri.slice(at + 1).split(/[;?]/);
    if (rest.some((one) => /^user=(?:phone|dialstring)$/i.test(one))) return service;
    return host.replace(/:[0-9]*$/, "").toLowerCase() === this.#homeDomain ? service : undefined;
  }
}

/** Reads "112" or "110=sos.police"; undefined when it is neither. */
export function emergencyNumberOf(text: string): { number: string; service: string } | undefined {
  const [, number = "", service = "sos"] =
    /^\s*([0-9*#][0-9*#().-]{0,15})\s*(?:=\s*(?:urn:service:)?(sos(?:\.[A-Za-z0-9-]+)*)\s*)?$/.exec(text) ??
    [];
  const urn = emergencyService(`urn:service:${service}`);
  const whole = urn === `urn:service:${service.toLowerCase()}`;
  return number === "" || urn === undefined || !whole
    ? undefined
    : { number: number.replace(SEPARATORS, ""), service: urn };
}
