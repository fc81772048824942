import type { Clock } from "@ims/runtime";
import type { RequestContext, TransactionUser, Uri } from "@ims/sip";
import { CallDiversion } from "../mmtel/call-diversion.ts";
import { HomeNetwork, NOWHERE } from "../mmtel/home-network.ts";
import { servedBy } from "../mmtel/served.ts";
import { popOwnRoutes } from "../routing/own-route.ts";
import type { ServiceUris } from "../routing/service-uris.ts";
import { type DiversionParameters, diversionOfUri } from "./diversion-parameters.ts";

export type DiversionOutcome = "served" | "diverted" | "diversionLimit" | "misconfigured";

export interface CommunicationDiversionModules {
  readonly own: ServiceUris;
  readonly options: {
    /** Side (trust zone) that requests leave on. */
    readonly side: string;
    /** Default of the time to no-reply diversion, s. */
    readonly noReplySeconds: number;
    readonly maxDiversions: number;
  };
  readonly clock: Clock;
  readonly counters: { diversion(outcome: DiversionOutcome): void };
  /** Told once of each URI that says nothing that can be done. */
  readonly onMisconfigured: (uri: string, problem: string) => void;
}

const MAX_KNOWN = 10_000;

/**
 * Communication diversion (TS 24.604) without a document: all that there is to know stands in the URI of the application server, in the
 * filter criteria. Phones may deflect calls too.
 */
export class CommunicationDiversionServer implements TransactionUser {
  readonly functionalEntity = "AS";
  readonly #modules: CommunicationDiversionModules;
  /** By Route value: an operator writes few of them. */
  readonly #known = new Map<string, DiversionParameters>();
  /** No condition here asks where anybody is. */
  readonly #home = new HomeNetwork({
    countryCode: "",
    internationalPrefix: "00",
    networks: [],
    homeDomain: "",
  });

  constructor(modules: CommunicationDiversionModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void {
    const { own, options, clock, counters } = this.#modules;
    const { request } = context;
    if (request.method === "REGISTER") return context.respond(200);
    const forwarded = context.forward();
    popOwnRoutes(forwarded, this.#modules);
    const { target } = forwarded;
    // A request for ourselves that leads nowhere.
    if (forwarded.top("Route") === undefined && target !== undefined && own.has(target))
      return context.respond(404);
    const served = request.method === "INVITE" && request.toTag === "" ? servedBy(request, own) : undefined;
    const isEmergency = request.requestUri.toLowerCase().startsWith("urn:service:sos");
    const parameters =
      served?.part === "terminating" && !isEmergency ? this.#parametersOf(context) : undefined;
    if (served === undefined || parameters === undefined)
      return void context.fork(forwarded, { destination: { kind: "uri", side: options.side } });
    counters.diversion("served");
    new CallDiversion(
      context,
      { options: { ...options, diversionHeader: true }, clock, counters },
      {
        served,
        service: parameters,
        call: { request, others: [], location: NOWHERE, home: this.#home },
        forwarded,
      },
    ).start();
  }

  /** Undefined: nothing can be done, and the call goes on. */
  #parametersOf({
    request,
  }: RequestContext): Extract<DiversionParameters, { kind: "service" }>["service"] | undefined {
    const route = request.routes[0];
    if (route?.uri === undefined || !this.#modules.own.has(route.uri)) return undefined;
    let found = this.#known.get(route.text);
    if (found === undefined) {
      found = diversionOfUri(route.uri);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(route.text, found);
      if (found.kind === "misconfigured") this.#modules.onMisconfigured(route.text, found.problem);
    }
    if (found.kind === "service") return found.service;
    this.#modules.counters.diversion("misconfigured");
    return undefined;
  }
}
