import { locateUri, parseUri, type SipMessage, type Uri } from "@ims/sip";
import { flat } from "./flat.ts";

/** Service-Route of a registration (RFC 3608), ready for use. */
export interface ServiceRoute {
  /** As one Route line. */
  readonly line: string;
  /** Where the first value leads. */
  readonly first: Uri;
}

/** Most registrations share a few: one object each. */
const MAX_SHARED = 256;

/** Service-Routes seen, and with them the hosts that the trusted side has named as next hops. */
export class ServiceRoutes {
  readonly #shared = new Map<string, ServiceRoute>();
  readonly #coreHosts: Set<string>;

  /** `coreHosts` in lower case, IPv6 without brackets. */
  constructor(coreHosts: Iterable<string>) {
    this.#coreHosts = new Set(coreHosts);
  }

  /** Undefined when the response has none that can be read. */
  from(response: SipMessage): ServiceRoute | undefined {
    const line = response.values("Service-Route").join(", ");
    const known = this.#shared.get(line);
    if (known !== undefined) return known;
    const located = locateUri(line);
    const first = located === undefined ? undefined : parseUri(flat(line.slice(located.start, located.end)));
    if (first === undefined || (first.scheme !== "sip" && first.scheme !== "sips")) return undefined;
    const route: ServiceRoute = { line: flat(line), first };
    if (this.#shared.size >= MAX_SHARED) this.#shared.clear();
    this.#shared.set(route.line, route);
    if (this.#coreHosts.size < MAX_SHARED) this.#coreHosts.add(first.host);
    return route;
  }

  /** May a request inside a dialog leave the access side for this host? */
  isCoreHost(host: string): boolean {
    return this.#coreHosts.has(host);
  }
}
