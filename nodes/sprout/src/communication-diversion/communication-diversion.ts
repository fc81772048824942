import type { ApplicationServer, InitialRequest } from "@ims/application-server";
import type { Clock } from "@ims/runtime";
import { CallDiversion } from "../mmtel/call-diversion.ts";
import { HomeNetwork, NOWHERE } from "../mmtel/home-network.ts";
import { type DiversionParameters, diversionOfUri } from "./diversion-parameters.ts";

export type DiversionOutcome = "served" | "diverted" | "diversionLimit" | "misconfigured";

export interface CommunicationDiversionModules {
  readonly options: {
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
export class CommunicationDiversionServer implements ApplicationServer {
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

  onInitialRequest(call: InitialRequest): void {
    const { options, clock, counters } = this.#modules;
    const { request, served } = call;
    const isEmergency = request.requestUri.toLowerCase().startsWith("urn:service:sos");
    const isServed = request.method === "INVITE" && served?.sessionCase === "term" && !isEmergency;
    const service = isServed ? this.#serviceOf(call) : undefined;
    if (served === undefined || service === undefined) return void call.forward();
    counters.diversion("served");
    new CallDiversion(
      call,
      { options: { ...options, diversionHeader: true }, clock, counters },
      {
        served,
        service,
        call: { request, others: [], location: NOWHERE, home: this.#home },
        forwarded: call.copy(),
      },
    ).start();
  }

  /** Undefined: nothing can be done, and the call goes on. */
  #serviceOf({
    request,
    criterion,
  }: InitialRequest): Extract<DiversionParameters, { kind: "service" }>["service"] | undefined {
    const route = request.routes[0];
    if (criterion === undefined || route === undefined) return undefined;
    let found = this.#known.get(route.text);
    if (found === undefined) {
      found = diversionOfUri(criterion);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(route.text, found);
      if (found.kind === "misconfigured") this.#modules.onMisconfigured(route.text, found.problem);
    }
    if (found.kind === "service") return found.service;
    this.#modules.counters.diversion("misconfigured");
    return undefined;
  }
}
