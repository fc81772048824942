import type { Own, Uri } from "@ims/sip";

/**
 * How filter criteria name an application server of this process: <service>.<home domain>, with any user part, or, in a Route,
 * <service>@<home domain>, which elsewhere is a user; with the port of the S-CSCF or none.
 */
export class ServiceUris implements Own {
  /** By which it names itself. */
  readonly uri: string;
  readonly #service: string;
  readonly #host: string;
  readonly #homeDomain: string;
  readonly #port: number;

  constructor(service: string, { homeDomain, port }: { readonly homeDomain: string; readonly port: number }) {
    this.#service = service;
    this.#host = `${service}.${homeDomain}`;
    this.#homeDomain = homeDomain;
    this.#port = port;
    this.uri = `sip:${this.#host}`;
  }

  has({ scheme, user, host, port, parameters }: Uri): boolean {
    if (host !== this.#host) {
      if (host !== this.#homeDomain || user !== this.#service || !parameters.has("lr")) return false;
    }
    return (scheme === "sip" || scheme === "sips") && (port === undefined || port === this.#port);
  }
}
