import { hash } from "node:crypto";
import { pServedUser } from "@ims/application-server";
import { type ApplicationServer, SessionCase } from "@ims/ims";
import { parseUri, type RequestContext, type SipMessage } from "@ims/sip";
import { chargingAddresses } from "./charging.ts";
import type { ChainPlace, Criteria, Met } from "./filter-criteria.ts";
import type { ScscfModules } from "./modules.ts";
import type { OriginalDialog } from "./odi-token.ts";
import { recordRoute } from "./record-route.ts";
import type { ServedUser } from "./served-user.ts";
import { triggerRequest } from "./trigger-request.ts";

/** A request on its way through the application servers of a served user: TS 23.218 §5.2, TS 24.229 §5.4.3.2, §5.4.3.3. */
export interface Chain {
  readonly user: ServedUser & { readonly kind: "served" };
  /** The wildcarded identity that covers the served user; "" when none does. */
  readonly wildcard: string;
  readonly criteria: Criteria;
  readonly sessionCase: SessionCase;
  /** The request as it leaves, but for Route, Record-Route and P-Served-User; it is copied, never edited. */
  readonly request: SipMessage;
  /** Nothing (more) matches. */
  finish(): void;
}

function sessionCaseName(sessionCase: SessionCase): string {
  const [name = ""] = Object.entries(SessionCase).find(([, value]) => value === sessionCase) ?? [];
  return name.toLowerCase().replaceAll("_", " ");
}

/** 4 times as long for what is not confirmed by 100 (RFC 4320 §4.1). */
const NON_INVITE_FACTOR = 4;

/** Sends the request to the next application server, or ends the chain. `after`: the criteria met last. */
export function nextInChain(
  context: RequestContext,
  modules: ScscfModules,
  chain: Chain,
  after: ChainPlace | undefined,
): void {
  const { applicationServers, counters, options } = modules;
  const request = triggerRequest(chain.request, {
    sessionCase: chain.sessionCase,
    registered: isRegistered(chain),
  });
  let from = after;
  for (;;) {
    const met = chain.criteria.next(request, from);
    if (met === undefined) {
      if (from === undefined && options.rejectIfNoMatchingIfcs) {
        counters.applicationServer("unmatched");
        return context.respond(403, { reason: "Forbidden (no service)" });
      }
      return chain.finish();
    }
    from = met;
    const { serverName, defaultHandling } = met.criteria.applicationServer;
    // A name that only says that the request is provided for.
    if (serverName === options.dummyApplicationServer) continue;
    const usable = parseUri(serverName) !== undefined;
    const away = usable && applicationServers.isAway(serverName);
    context.decided("iFC", {
      server: serverName,
      priority: met.priority,
      sessionCase: sessionCaseName(chain.sessionCase),
      servedUser: chain.user.impu,
      skipped: away ? "the server is away" : usable ? undefined : "that is no SIP URI",
      defaultHandling,
    });
    if (usable && !away) return visit(context, modules, chain, met);
    counters.applicationServer(usable ? "skipped" : "failed");
    if (defaultHandling === "terminate") return context.respond(noAnswer(chain.request));
  }
}

/** ISC: the application server on top of the Route, ourselves with the original dialog identifier below it. */
function visit(context: RequestContext, modules: ScscfModules, chain: Chain, met: Met): void {
  const { applicationServers, counters, odi, options } = modules;
  const { applicationServer } = met.criteria;
  const { serverName } = applicationServer;
  const forwarded = chain.request.clone();
  recordRoute(forwarded, options.routedUri ?? options.scscfUri);
  forwarded.prepend("Route", odi.route(dialogOf(chain, met)));
  forwarded.prepend("Route", `<${serverName}${/;lr(?:[;=?]|$)/i.test(serverName) ? "" : ";lr"}>`);
  forwarded.set("P-Served-User", pServedUser(chain.user.impu, chain.sessionCase));
  if (chain.wildcard !== "") forwarded.set("P-Profile-Key", `<${chain.wildcard}>`);
  const addresses = chargingAddresses(chain.user.registration.charging);
  if (addresses !== "") forwarded.set("P-Charging-Function-Addresses", addresses);
  counters.applicationServer("forwarded");

  let begun = false;
  let left = false;
  let final = 0;
  context.onUpstream((response) => {
    if (final === 0 && response.status >= 200) final = response.status;
  });
  context.fork(forwarded, {
    destination: { kind: "uri", side: options.side },
    firstResponseMs: patience(applicationServer, forwarded, options),
    onResponse: (response, _fork, local) => {
      const { status } = response;
      // Another answer after we went on without it: RFC 3261 §16.7 step 5 wants a 2xx forwarded, unless the call has failed.
      if (left) return final >= 300 ? "absorb" : "forward";
      if (!local) applicationServers.heard(serverName);
      if (status < 200) begun = true;
      if (status < 300 || begun || !failsAs(status)) return "forward";
      if (context.cancelled) {
        if (local) context.respond(487);
        return local ? "absorb" : "forward";
      }
      left = true;
      if (local && status === 408) applicationServers.silent(serverName);
      applicationServers.failed(serverName, status);
      counters.applicationServer(local && status === 408 ? "silent" : "failed");
      context.decided("default handling", {
        server: serverName,
        status,
        silent: local,
        defaultHandling: applicationServer.defaultHandling,
      });
      if (applicationServer.defaultHandling === "continue") {
        counters.applicationServer("continued");
        nextInChain(context, modules, chain, met);
        return "absorb";
      }
      if (!local) return "forward";
      context.respond(noAnswer(chain.request));
      return "absorb";
    },
  });
}

/** What calls for the default handling: no answer, 408 or 5xx, before anything but 100 (TS 24.229 §5.4.3.2, §5.4.3.3). */
function failsAs(status: number): boolean {
  return status === 408 || (status >= 500 && status < 600);
}

/** RFC 4320 §4.2: 408 says nothing that the sender of a non-INVITE does not know. */
function noAnswer(request: SipMessage): number {
  return request.method === "INVITE" ? 408 : 504;
}

function patience(
  { defaultHandling }: ApplicationServer,
  { method }: SipMessage,
  { asTimeoutContinuedMs, asTimeoutTerminatedMs }: ScscfModules["options"],
): number {
  const ms = defaultHandling === "continue" ? asTimeoutContinuedMs : asTimeoutTerminatedMs;
  return method === "INVITE" ? ms : ms * NON_INVITE_FACTOR;
}

function dialogOf(chain: Chain, { list, priority, place }: ChainPlace): OriginalDialog {
  const { sessionCase, user, wildcard, request } = chain;
  const uriPrint = terminates(sessionCase) ? printOf(request.requestUri) : "";
  return { sessionCase, impu: user.impu, wildcard, list, priority, place, uriPrint };
}

/** Which part of the profile counts (TS 29.228 §B.2.2): who has no contact left is not registered, whatever the timer says. */
function isRegistered({ sessionCase, user }: Chain): boolean {
  if (sessionCase === SessionCase.ORIGINATING_CDIV) return user.registration.state === "registered";
  return (
    sessionCase === SessionCase.ORIGINATING_REGISTERED || sessionCase === SessionCase.TERMINATING_REGISTERED
  );
}

export function terminates(sessionCase: SessionCase): boolean {
  return (
    sessionCase === SessionCase.TERMINATING_REGISTERED || sessionCase === SessionCase.TERMINATING_UNREGISTERED
  );
}

/** Tells whether a Request-URI is still the one that an application server got. */
export function printOf(requestUri: string): string {
  return hash("sha256", requestUri, "base64url").slice(0, 8);
}
