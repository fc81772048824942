import type { Clock, Timer } from "@ims/runtime";
import { type Flow, hostForUri } from "@ims/sip";
import { flat } from "./flat.ts";
import type { FlowLookup, FlowTokens } from "./flow-token.ts";
import type { Identity, Registration } from "./registration.ts";

/** How often lapsed registrations are looked for, and among how many flows at a time. */
const SWEEP_MS = 5_000;
const SWEEP_FLOWS = 2_000;

const NONE: readonly Registration[] = [];

/** What the P-CSCF keeps with an access flow: its token and the header values made of it, and who is registered over it. */
export class AccessFlow {
  readonly flow: Flow;
  /** Signed flow token (RFC 5626 §5.2). */
  readonly token: string;
  /** Between "<sip:token.mark" and the end of our access-side Record-Route value. */
  readonly recordRouteTail: string;
  /** Hardly ever several, and none has an identity of another: the first one needs no list. */
  #first: Registration | undefined;
  #others: readonly Registration[] = NONE;
  /** Emergency registration over this flow (TS 24.229 §5.2.10): beside the others, which it is none of. */
  emergency: Registration | undefined;

  constructor(flow: Flow, token: string, recordRouteTail: string) {
    this.flow = flow;
    this.token = token;
    this.recordRouteTail = recordRouteTail;
  }

  /** Oldest first. */
  get registrations(): readonly Registration[] {
    return this.#first === undefined ? NONE : [this.#first, ...this.#others];
  }

  /** The only registration of this flow; undefined when there are none or several. */
  get sole(): Registration | undefined {
    return this.#others.length === 0 ? this.#first : undefined;
  }

  has(registration: Registration): boolean {
    return this.#first === registration || this.#others.includes(registration);
  }

  /** What is registered over this flow by its canonical public user identity. */
  identity(impu: string): Identity | undefined {
    const found = this.#first?.identity(impu);
    if (found !== undefined) return found;
    for (const other of this.#others) {
      const identity = other.identity(impu);
      if (identity !== undefined) return identity;
    }
    return undefined;
  }

  add(registration: Registration): void {
    if (this.#first === undefined) this.#first = registration;
    else this.#others = [...this.#others, registration];
  }

  /** False when it is not there. */
  remove(registration: Registration): boolean {
    if (!this.has(registration)) return false;
    const left = this.registrations.filter((one) => one !== registration);
    this.#first = left.shift();
    this.#others = left.length === 0 ? NONE : left;
    return true;
  }

  /** Nobody is registered over this flow, not even for emergencies. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.emergency === undefined;
  }
}

export interface FlowTableModules {
  readonly tokens: FlowTokens;
  readonly clock: Clock;
  /** Host to write instead of the flow's local address. */
  readonly publicHost: string | undefined;
}

/** All access flows somebody is registered over. Memory is an optimisation only: a UE whose entry is lost registers again. */
export class FlowTable {
  readonly #tokens: FlowTokens;
  readonly #clock: Clock;
  readonly #publicHost: string | undefined;
  /** Flows without a registration: their token is worth keeping as long as the flow itself. */
  readonly #strangers = new WeakMap<Flow, AccessFlow>();
  readonly #byToken = new Map<string, AccessFlow>();
  /** Where a UE registered last. */
  readonly #byOwner = new Map<string, AccessFlow>();
  /** One text for all flows of a listener. */
  readonly #tails = new Map<string, string>();
  #registrations = 0;
  #sweep: Iterator<AccessFlow> | undefined;
  #timer: Timer | undefined;

  constructor({ tokens, clock, publicHost }: FlowTableModules) {
    this.#tokens = tokens;
    this.#clock = clock;
    this.#publicHost = publicHost;
  }

  get flows(): number {
    return this.#byToken.size;
  }

  get registrations(): number {
    return this.#registrations;
  }

  /** Flows somebody is registered over. */
  all(): Iterable<AccessFlow> {
    return this.#byToken.values();
  }

  /** The entry of a flow, registered or not. */
  access(flow: Flow): AccessFlow {
    const known = flow.attachment;
    if (known instanceof AccessFlow) return known;
    const stranger = this.#strangers.get(flow);
    if (stranger !== undefined) return stranger;
    const access = new AccessFlow(flow, this.#tokens.issue(flow), this.#recordRouteTail(flow));
    this.#strangers.set(flow, access);
    return access;
  }

  /** The entry of a flow somebody is registered over. */
  registered(flow: Flow): AccessFlow | undefined {
    return flow.attachment instanceof AccessFlow ? flow.attachment : undefined;
  }

  /**
   * The flow a token names; known tokens cost a look-up, others an HMAC. When it was the flow of another member, or is no
   * more, the one over which its owner has registered here since; else, over UDP, one of our own to the same address.
   */
  resolve(token: string, owner = ""): FlowLookup {
    const known = this.#byToken.get(token);
    if (known?.flow.open) return { kind: "flow", flow: known.flow };
    const found = this.#tokens.resolve(token);
    if (owner === "" || found.kind === "forged" || (found.kind === "flow" && found.flow.reliable))
      return found;
    const moved = this.#byOwner.get(owner);
    return moved?.flow.open === true ? { kind: "flow", flow: moved.flow } : found;
  }

  /** Is this flow the one over which the owner of a dialog has registered last? */
  isOwner(owner: string, access: AccessFlow): boolean {
    return owner !== "" && this.#byOwner.get(owner) === access;
  }

  /** A 200 to REGISTER: the implicit registration set takes the place of what its identities had on this flow. */
  register(access: AccessFlow, registration: Registration): void {
    for (const { impu } of registration.identities) {
      const old = access.identity(impu)?.registration;
      if (old !== undefined) this.#drop(access, old);
    }
    access.add(registration);
    this.#registrations += 1;
    this.#byOwner.set(registration.owner, access);
    this.#attach(access);
  }

  /** A 200 to an emergency REGISTER; it takes the place of the emergency registration that was there. */
  registerEmergency(access: AccessFlow, registration: Registration): void {
    if (access.emergency === undefined) this.#registrations += 1;
    else this.#disown(access, access.emergency);
    access.emergency = registration;
    this.#byOwner.set(registration.owner, access);
    this.#attach(access);
  }

  /** The emergency registration of this flow is over. */
  deregisterEmergency(access: AccessFlow): void {
    if (access.emergency === undefined) return;
    this.#registrations -= 1;
    this.#disown(access, access.emergency);
    access.emergency = undefined;
    if (access.isEmpty) this.#detach(access);
  }

  /** The emergency registration of this flow, while it lasts. */
  emergencyOf(access: AccessFlow): Registration | undefined {
    const { emergency } = access;
    return emergency !== undefined && this.isCurrent(emergency) ? emergency : undefined;
  }

  #attach(access: AccessFlow): void {
    if (access.flow.attachment === access) return;
    access.flow.attachment = access;
    this.#strangers.delete(access.flow);
    this.#byToken.set(access.token, access);
    // A UDP flow hardly ever closes; the sweep finds it and a listener less is kept for each.
    if (access.flow.reliable) access.flow.onClose(this.#onClose);
    this.#timer ??= this.#clock.setTimer(SWEEP_MS, this.#onSweep);
  }

  /** De-registration: of the whole implicit registration set (TS 24.229 §5.2.5.1). */
  deregister(access: AccessFlow, registration: Registration): void {
    this.#drop(access, registration);
    if (access.isEmpty) this.#detach(access);
  }

  /** The registration of a public user identity over this flow, while it lasts. */
  registrationOf(access: AccessFlow, impu: string | undefined): Registration | undefined {
    const registration = impu === undefined ? undefined : access.identity(impu)?.registration;
    return registration !== undefined && this.isCurrent(registration) ? registration : undefined;
  }

  isCurrent(registration: Registration): boolean {
    return registration.expiresAt > this.#clock.monotonic();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #drop(access: AccessFlow, registration: Registration): void {
    if (!access.remove(registration)) return;
    this.#registrations -= 1;
    this.#disown(access, registration);
  }

  #disown(access: AccessFlow, { owner }: Registration): void {
    if (this.#byOwner.get(owner) === access) this.#byOwner.delete(owner);
  }

  #detach(access: AccessFlow): void {
    if (access.flow.attachment !== access) return;
    access.flow.attachment = undefined;
    access.flow.offClose(this.#onClose);
    this.#byToken.delete(access.token);
    if (access.flow.open) this.#strangers.set(access.flow, access);
  }

  readonly #onClose = (flow: Flow): void => {
    const access = this.registered(flow);
    if (access === undefined) return;
    for (const registration of access.registrations) this.#drop(access, registration);
    this.deregisterEmergency(access);
    this.#detach(access);
  };

  readonly #onSweep = (): void => {
    this.#sweep ??= this.#byToken.values();
    for (let count = 0; count < SWEEP_FLOWS; count++) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = undefined;
        break;
      }
      this.#expire(next.value);
    }
    this.#timer = this.#byToken.size === 0 ? undefined : this.#clock.setTimer(SWEEP_MS, this.#onSweep);
  };

  #expire(access: AccessFlow): void {
    if (!access.flow.open) return this.#onClose(access.flow);
    for (const registration of access.registrations)
      if (!this.isCurrent(registration)) this.deregister(access, registration);
    if (access.emergency !== undefined && !this.isCurrent(access.emergency)) this.deregisterEmergency(access);
  }

  #recordRouteTail(flow: Flow): string {
    const key = `${flow.protocol}${flow.localAddress}|${flow.localPort}`;
    let tail = this.#tails.get(key);
    if (tail === undefined) {
      const host = hostForUri(this.#publicHost ?? flow.localAddress);
      const transport = flow.protocol === "WSS" ? "ws" : flow.protocol.toLowerCase();
      tail = flat(`@${host}:${flow.localPort};transport=${transport};lr>`);
      this.#tails.set(key, tail);
    }
    return tail;
  }
}
