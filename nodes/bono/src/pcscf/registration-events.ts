import { parseRegInfo, REG_INFO_TYPE, type RegInfo } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import { decimal, parseNameAddr, type RequestContext, type RequestOriginator, SipMessage } from "@ims/sip";
import { flat } from "./flat.ts";
import type { AccessFlow, FlowTable } from "./flow-table.ts";
import type { PcscfCounters, PcscfSettings } from "./modules.ts";
import type { Registration } from "./registration.ts";
import { registrationAfter } from "./registration-state.ts";

/** §5.2.3: higher than any registration lasts. */
const EXPIRES_SECONDS = 600_000;

export interface RegistrationEventsModules {
  readonly flows: FlowTable;
  readonly settings: PcscfSettings;
  readonly clock: Clock;
  readonly originate: RequestOriginator["originate"];
  /** Value of P-Charging-Vector. */
  readonly chargingVector: () => string;
  /** Unguessable, at least 64 bits. */
  readonly tag: () => string;
  readonly counters: PcscfCounters;
  /** The network does not want the UE: its registration was ended, not replaced, moved or let lapse. */
  readonly onRejected?: ((registration: Registration, access: AccessFlow) => void) | undefined;
}

/** A subscription of ours. */
interface Watch {
  readonly callId: string;
  readonly localTag: string;
  readonly impu: string;
  readonly access: AccessFlow;
  /** What is registered over the flow, as the last 200 or NOTIFY has it. */
  registration: Registration;
  /** Contact URIs of the UE: others may be registered for the same identities. */
  contacts: readonly string[];
  /** "" until the notifier is known. */
  remoteTag: string;
  target: string;
  routes: readonly string[];
  cseq: number;
  remoteCseq: number;
  version: number;
  /** Monotonic ms. */
  expiresAt: number;
}

/**
 * Subscriptions of the P-CSCF to the registrations over its flows (TS 24.229 §5.2.3), and what it does when the network ends one
 * (§5.2.5.2). In memory only, like the flows: when this process ends, the notifier finds nobody and forgets them.
 */
export class RegistrationEvents {
  readonly #modules: RegistrationEventsModules;
  /** Oldest first. */
  readonly #byCallId = new Map<string, Watch>();
  /** By flow and default identity. */
  readonly #byRegistration = new Map<string, Watch>();

  constructor(modules: RegistrationEventsModules) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#byCallId.size;
  }

  /** After a 200 to REGISTER: the first one begins a subscription, others keep it going. */
  registered(access: AccessFlow, registration: Registration, request: SipMessage): void {
    const contacts = contactsOf(request);
    const known = this.#byRegistration.get(nameOf(access, registration));
    if (known === undefined) return this.#subscribe(access, registration, contacts);
    known.registration = registration;
    known.contacts = contacts;
    if (known.expiresAt < registration.expiresAt) this.#refresh(known);
  }

  /** The UE has deregistered: what the notifier still says of it counts for nothing. */
  deregistered(access: AccessFlow, registration: Registration): void {
    this.#byRegistration.delete(nameOf(access, registration));
  }

  /** Is it a NOTIFY for us, and not for a UE? */
  isOurs({ method, callId }: SipMessage): boolean {
    return method === "NOTIFY" && this.#byCallId.has(callId);
  }

  /** NOTIFY: RFC 6665 §4.1.3. */
  notified(context: RequestContext): void {
    const { counters } = this.#modules;
    const { request } = context;
    const watch = this.#byCallId.get(request.callId);
    if (watch === undefined || request.toTag !== watch.localTag || !isFrom(request, watch))
      return context.respond(481);
    if (request.cseqNumber < watch.remoteCseq)
      return context.respond(500, { reason: "Server Internal Error (CSeq)" });
    if (request.header("Event")?.split(";")[0]?.trim().toLowerCase() !== "reg") return context.respond(489);
    const [state = "", ...parameters] = (request.header("Subscription-State") ?? "").split(";");
    const ends = state.trim().toLowerCase() === "terminated";
    // The UE is registered over another flow by now, or not at all.
    if (!ends && !isCurrent(watch.access, watch.registration)) {
      this.#forget(watch);
      return context.respond(481);
    }
    watch.remoteTag = flat(request.fromTag);
    watch.remoteCseq = request.cseqNumber;
    const type = request.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (request.body !== "" && type !== REG_INFO_TYPE) {
      counters.registrationEvent("malformed");
      return context.respond(415, { edit: (response) => void response.append("Accept", REG_INFO_TYPE) });
    }
    if (request.body !== "") {
      const read = parseRegInfo(Buffer.from(request.body, "latin1").toString());
      if (read.kind === "malformed") {
        counters.registrationEvent("malformed");
        return context.respond(400, { reason: "Bad Request (reginfo)" });
      }
      // A document that was overtaken by a later one is old news.
      if (read.regInfo.version > watch.version) {
        watch.version = read.regInfo.version;
        this.#apply(watch, read.regInfo);
      }
    }
    counters.registrationEvent("notified");
    context.respond(200);
    if (ends) this.#ended(watch, parameters);
  }

  /** §5.2.5.2: identities that the network has deregistered are forgotten, those it has added are known. */
  #apply(watch: Watch, regInfo: Parameters<typeof registrationAfter>[1]): void {
    const { flows, counters } = this.#modules;
    const { access, registration } = watch;
    if (!isCurrent(access, registration)) return;
    const after = registrationAfter(registration, regInfo, watch.contacts);
    if (after === registration) return;
    if (after === undefined) {
      const isHere = flows.isOwner(registration.owner, access);
      flows.deregister(access, registration);
      this.#byRegistration.delete(nameOf(access, registration));
      counters.deregistered();
      if (isHere && isRejected(regInfo, watch.contacts)) this.#modules.onRejected?.(registration, access);
      return;
    }
    this.#byRegistration.delete(nameOf(access, registration));
    flows.register(access, after);
    watch.registration = after;
    this.#byRegistration.set(nameOf(access, after), watch);
  }

  #ended(watch: Watch, parameters: readonly string[]): void {
    this.#forget(watch);
    const { access, registration, contacts } = watch;
    // RFC 6665 §4.1.3: another notifier is to be asked, at once.
    const moved = parameters.some((one) => /^\s*reason\s*=\s*deactivated\s*$/i.test(one));
    if (moved && isCurrent(access, registration) && this.#modules.flows.isCurrent(registration))
      this.#subscribe(access, registration, contacts);
  }

  #forget(watch: Watch): void {
    this.#byCallId.delete(watch.callId);
    const name = nameOf(watch.access, watch.registration);
    if (this.#byRegistration.get(name) === watch) this.#byRegistration.delete(name);
  }

  #subscribe(access: AccessFlow, registration: Registration, contacts: readonly string[]): void {
    const { tag, clock } = this.#modules;
    const impu =
      registration.identities.find((one) => one.impu.startsWith("sip:"))?.impu ?? registration.impu;
    this.#forgetLapsed();
    const watch: Watch = {
      callId: tag() + tag(),
      localTag: tag(),
      impu,
      access,
      registration,
      contacts,
      remoteTag: "",
      target: impu,
      routes: [],
      cseq: 0,
      remoteCseq: 0,
      version: -1,
      expiresAt: clock.monotonic() + EXPIRES_SECONDS * 1000,
    };
    this.#byCallId.set(watch.callId, watch);
    this.#byRegistration.set(nameOf(access, registration), watch);
    this.#send(watch);
  }

  #refresh(watch: Watch): void {
    // Not before the answer to the last one.
    if (watch.remoteTag === "") return;
    watch.expiresAt = this.#modules.clock.monotonic() + EXPIRES_SECONDS * 1000;
    this.#send(watch);
  }

  #send(watch: Watch): void {
    const { originate, settings, counters, clock, chargingVector } = this.#modules;
    const own = `<sip:${settings.coreHostPort}>`;
    const subscribe = SipMessage.request("SUBSCRIBE", watch.target)
      .append("From", `${own};tag=${watch.localTag}`)
      .append("To", `<${watch.impu}>${watch.remoteTag === "" ? "" : `;tag=${watch.remoteTag}`}`)
      .append("Call-ID", watch.callId)
      .append("CSeq", `${++watch.cseq} SUBSCRIBE`)
      .append("Contact", own)
      .append("Event", "reg")
      .append("Accept", REG_INFO_TYPE)
      .append("Expires", String(EXPIRES_SECONDS))
      // The Path of the registration says that this name may know (§5.4.2.1.1).
      .append("P-Asserted-Identity", own)
      .append("P-Charging-Vector", chargingVector());
    for (const route of watch.routes) subscribe.append("Route", route);
    const begins = watch.remoteTag === "";
    const destination = { kind: "uri", side: "core", ...(begins ? { uri: settings.icscf } : {}) } as const;
    const onFinal = (response: SipMessage): void => {
      if (response.status >= 300) {
        counters.registrationEvent("refused");
        this.#forget(watch);
        return;
      }
      counters.registrationEvent("subscribed");
      const contact = parseNameAddr(response.top("Contact") ?? "");
      watch.remoteTag = flat(response.toTag);
      if (contact !== undefined) watch.target = flat(contact.uriText);
      if (begins) watch.routes = response.values("Record-Route").reverse().map(flat);
      const granted = decimal(response.header("Expires") ?? "");
      if (granted !== undefined) watch.expiresAt = clock.monotonic() + granted * 1000;
    };
    originate(subscribe, destination, { onFinal });
  }

  /** Of a notifier that has said nothing of the end: at most two for each that begins. */
  #forgetLapsed(): void {
    const now = this.#modules.clock.monotonic();
    for (let count = 0; count < 2; count++) {
      const oldest: Watch | undefined = this.#byCallId.values().next().value;
      if (oldest === undefined || oldest.expiresAt > now) return;
      this.#forget(oldest);
    }
  }
}

/** RFC 3680 §5.3.3. A UE that is to register again at once ("deactivated"), or has gone or moved itself, is none that is not wanted. */
function isRejected({ registrations }: RegInfo, own: readonly string[]): boolean {
  return registrations.some(({ contacts }) =>
    contacts.some(
      ({ event, uri }) =>
        (event === "rejected" || event === "probation") && own.includes(Buffer.from(uri).toString("latin1")),
    ),
  );
}

function isFrom({ fromTag }: SipMessage, { remoteTag }: Watch): boolean {
  return fromTag !== "" && (remoteTag === "" || remoteTag === fromTag);
}

/** Is it still what the flow has? */
function isCurrent(access: AccessFlow, registration: Registration): boolean {
  return access.flow.open && access.has(registration);
}

function nameOf(access: AccessFlow, { impu }: Registration): string {
  return `${access.flow.id} ${impu}`;
}

function contactsOf(request: SipMessage): readonly string[] {
  return request.values("Contact").flatMap((value) => {
    const contact = parseNameAddr(value);
    return contact === undefined ? [] : [flat(contact.uriText)];
  });
}
