import { parsePServedUser } from "@ims/application-server";
import type { ChargingRole } from "@ims/ims";
import {
  type AckContext,
  ownTopRoute,
  type RequestContext,
  type SipMessage,
  type SipMethod,
  type TransactionUser,
  type Uri,
} from "@ims/sip";
import { ack, inDialog } from "./in-dialog.ts";
import type { ScscfModules } from "./modules.ts";
import { originating } from "./originating.ts";
import { register } from "./registrar.ts";
import { terminates } from "./service-chain.ts";
import { isRegEvent, resubscribe, subscribe } from "./subscription.ts";
import { terminating } from "./terminating.ts";

type Procedure = (context: RequestContext, modules: ScscfModules) => void | Promise<void>;

/** Methods that are more than proxied. */
const procedures = { REGISTER: register } as const satisfies Partial<Record<SipMethod, Procedure>>;

/** Serving-CSCF: TS 24.229 §5.4. */
export class Scscf implements TransactionUser {
  readonly functionalEntity = "S-CSCF";
  readonly #modules: ScscfModules;

  constructor(modules: ScscfModules) {
    this.#modules = modules;
  }

  accepts(uri: Uri): boolean {
    return this.#modules.own.has(uri);
  }

  onRequest(context: RequestContext): void | Promise<void> {
    const { request } = context;
    const modules = this.#modules;
    const { charging, analytics, measurement } = modules;
    if (request.method === "REGISTER") {
      charging?.initial(context, "originating");
      analytics?.registration(context);
      return procedures.REGISTER(context, modules);
    }
    // Inside a dialog (RFC 3261 §12.2): a tag on both ends.
    if (request.toTag !== "") {
      charging?.inDialog(context);
      analytics?.inDialog(context);
      if (request.method === "SUBSCRIBE" && isOwn(request, modules)) return resubscribe(context, modules);
      return inDialog(context, modules);
    }
    const route = ownTopRoute(request, modules.own);
    // Back from an application server (§5.4.3.2 step 2, §5.4.3.3 step 2).
    const dialog = route === undefined || route.user === "" ? "none" : modules.odi.read(route.user);
    if (dialog === "forged") {
      modules.counters.applicationServer("forged");
      return context.respond(403, { reason: "Forbidden (original dialog identifier)" });
    }
    if (dialog !== "none")
      return terminates(dialog.sessionCase)
        ? terminating(context, modules, dialog)
        : originating(context, modules, { dialog });
    const begin = (role: ChargingRole): void => {
      measurement.initial(context, role);
      charging?.initial(context, role);
      analytics?.initial(context, role);
    };
    if (route?.parameters.has("orig-cdiv")) {
      const divertedBy = parsePServedUser(request)?.impu;
      begin("originating");
      return divertedBy === undefined ? context.respond(403) : originating(context, modules, { divertedBy });
    }
    const originates = route?.parameters.has("orig") ?? false;
    begin(originates ? "originating" : "terminating");
    const proceed = (): void | Promise<void> =>
      originates ? originating(context, modules) : terminating(context, modules);
    if (request.method !== "SUBSCRIBE") return proceed();
    // Registrations are the S-CSCF's own to tell of (§5.4.2.1); subscriptions to anything else are proxied.
    if (isRegEvent(request)) return subscribe(context, modules, originates ? proceed : undefined);
    return isOwn(request, modules) ? refuseEvent(context) : proceed();
  }

  /** A 2xx is acknowledged by the route set of its dialog, which is our Record-Route: without what stands in the Route of an initial request. */
  isOfRefusal(request: SipMessage): boolean {
    const route = ownTopRoute(request, this.#modules.own);
    if (route === undefined) return false;
    const { parameters, user } = route;
    if (parameters.has("orig") || parameters.has("orig-cdiv")) return true;
    return user !== "" && typeof this.#modules.odi.read(user) === "object";
  }

  onAck(context: AckContext): void {
    ack(context, this.#modules);
  }
}

/** Is the Request-URI the S-CSCF itself? */
function isOwn({ target }: SipMessage, { own }: ScscfModules): boolean {
  return target !== undefined && own.has(target);
}

/** RFC 6665 §4.2.1.3. */
function refuseEvent(context: RequestContext): void {
  context.respond(489, { edit: (response) => void response.append("Allow-Events", "reg") });
}
