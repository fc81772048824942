import type { ChargingTriggers } from "@ims/ims";
import { type Flow, locateUri, type RequestOriginator, SipMessage } from "@ims/sip";
import { flat } from "./flat.ts";

/** More calls than one process serves; the oldest are given up first. */
const MAX_CALLS = 100_000;
/** More calls than one UE holds at a time, and longer texts than its dialogs have: memory and the time of a release are bounded for each. */
const MAX_OF_ONE = 200;
const MAX_TEXT = 8_192;
/** Nobody hangs up: he was. */
const REASON = 'SIP;cause=480;text="Deregistered by the network"';

/** What it takes to end a call of a UE on both sides. "Far" is whoever is behind the trusted side. */
interface Call {
  readonly owner: string;
  readonly callId: string;
  /** From or To with its tag. */
  readonly ue: string;
  readonly far: string;
  ueTarget: string;
  farTarget: string;
  /** From us to the far side. */
  readonly routes: readonly string[];
  ueCseq: number;
  farCseq: number;
}

export interface CallReleaseModules {
  readonly originate: RequestOriginator["originate"];
  readonly charging?: ChargingTriggers | undefined;
  /** A call was ended. */
  readonly released: () => void;
}

/**
 * Calls of UEs, to be ended when the network deregisters one of them: P-CSCF-initiated release, TS 24.229 §5.2.8.1. In memory only: a call that
 * is missing here because this process is a new one goes on (ADR 28).
 */
export class CallRelease {
  readonly #modules: CallReleaseModules;
  /** Oldest first. */
  readonly #calls = new Map<string, Call>();
  readonly #byOwner = new Map<string, Set<string>>();

  constructor(modules: CallReleaseModules) {
    this.#modules = modules;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** A request of the UE outside a dialog got this answer of the trusted side; our own Record-Route values still as they were sent. */
  ofUe(request: SipMessage, response: SipMessage, owner: string): void {
    if (!isBegun(request, response)) return;
    // Our two values went on first, so they stand last.
    const routes = response.values("Record-Route").slice(0, -2).reverse();
    this.#add(owner, request, routes, {
      ue: request.header("From"),
      far: response.header("To"),
      ueTarget: request.top("Contact"),
      farTarget: response.top("Contact"),
      ueCseq: request.cseqNumber,
      farCseq: 0,
    });
  }

  /** A request of the trusted side, as it came, got this answer of the UE. */
  toUe(request: SipMessage, response: SipMessage, owner: string): void {
    if (!isBegun(request, response)) return;
    this.#add(owner, request, request.values("Record-Route"), {
      ue: response.header("To"),
      far: request.header("From"),
      ueTarget: response.top("Contact"),
      farTarget: request.top("Contact"),
      ueCseq: 0,
      farCseq: request.cseqNumber,
    });
  }

  /** A request inside a dialog goes on. */
  sees(request: SipMessage, from: "ue" | "far"): void {
    const { callId, fromTag, toTag, method } = request;
    const key = from === "ue" ? keyOf(callId, fromTag, toTag) : keyOf(callId, toTag, fromTag);
    const call = this.#calls.get(key);
    if (call === undefined) return;
    if (method === "BYE") return this.#forget(key, call);
    const refreshed = method === "INVITE" || method === "UPDATE" ? uriOf(request.top("Contact")) : undefined;
    const target = refreshed !== undefined && refreshed.length <= MAX_TEXT ? refreshed : undefined;
    if (from === "ue") {
      call.ueCseq = Math.max(call.ueCseq, request.cseqNumber);
      call.ueTarget = target ?? call.ueTarget;
    } else {
      call.farCseq = Math.max(call.farCseq, request.cseqNumber);
      call.farTarget = target ?? call.farTarget;
    }
  }

  /** The network has deregistered the UE: BYE both ways for each of its calls. */
  release(owner: string, flow: Flow): void {
    const { originate, charging, released } = this.#modules;
    for (const key of [...(this.#byOwner.get(owner) ?? [])]) {
      const call = this.#calls.get(key);
      if (call === undefined) continue;
      this.#forget(key, call);
      const { ue, far, callId } = call;
      const toFar = bye(call.farTarget, { from: ue, to: far, callId, cseq: call.ueCseq + 1 });
      for (const route of call.routes) toFar.append("Route", route);
      charging?.inDialog(toFar, toFar.fromTag);
      originate(toFar, { kind: "uri", side: "core" }, IGNORED);
      const toUe = bye(call.ueTarget, { from: far, to: ue, callId, cseq: call.farCseq + 1 });
      if (flow.open) originate(toUe, { kind: "flow", flow }, IGNORED);
      released();
    }
  }

  #add(
    owner: string,
    { callId }: SipMessage,
    routes: readonly string[],
    found: {
      readonly ue: string | undefined;
      readonly far: string | undefined;
      readonly ueTarget: string | undefined;
      readonly farTarget: string | undefined;
      readonly ueCseq: number;
      readonly farCseq: number;
    },
  ): void {
    const { ue, far } = found;
    const ueTarget = uriOf(found.ueTarget);
    const farTarget = uriOf(found.farTarget);
    if (owner === "" || ue === undefined || far === undefined) return;
    if (ueTarget === undefined || farTarget === undefined) return;
    const tags = SipMessage.request("BYE", "").append("From", ue).append("To", far);
    const key = flat(keyOf(callId, tags.fromTag, tags.toTag));
    if (this.#calls.has(key)) return;
    const { ueCseq, farCseq } = found;
    const length = routes.reduce((sum, route) => sum + route.length, callId.length + ue.length + far.length);
    if (length + ueTarget.length + farTarget.length > MAX_TEXT) return;
    const texts = { callId: flat(callId), ue: flat(ue), far: flat(far), routes: routes.map(flat) };
    this.#calls.set(key, { owner, ...texts, ueTarget, farTarget, ueCseq, farCseq });
    const own = this.#byOwner.get(owner);
    if (own === undefined) this.#byOwner.set(owner, new Set([key]));
    else {
      own.add(key);
      if (own.size > MAX_OF_ONE) this.#forgetOldestOf(own);
    }
    const [oldest] = this.#calls;
    if (this.#calls.size > MAX_CALLS && oldest !== undefined) this.#forget(...oldest);
  }

  #forgetOldestOf([key = ""]: ReadonlySet<string>): void {
    const call = this.#calls.get(key);
    if (call !== undefined) this.#forget(key, call);
  }

  #forget(key: string, { owner }: Call): void {
    this.#calls.delete(key);
    const own = this.#byOwner.get(owner);
    own?.delete(key);
    if (own?.size === 0) this.#byOwner.delete(owner);
  }
}

/** Who has gone does not answer. */
const IGNORED = { onFinal: (): void => undefined };

function isBegun(request: SipMessage, { status }: SipMessage): boolean {
  return request.method === "INVITE" && request.toTag === "" && status >= 200 && status < 300;
}

function keyOf(callId: string, ueTag: string, farTag: string): string {
  return `${callId}\n${ueTag}\n${farTag}`;
}

function uriOf(contact: string | undefined): string | undefined {
  const located = contact === undefined ? undefined : locateUri(contact);
  return contact === undefined || located === undefined
    ? undefined
    : flat(contact.slice(located.start, located.end));
}

function bye(
  target: string,
  { from, to, callId, cseq }: { from: string; to: string; callId: string; cseq: number },
): SipMessage {
  return SipMessage.request("BYE", target)
    .append("From", from)
    .append("To", to)
    .append("Call-ID", callId)
    .append("CSeq", `${cseq} BYE`)
    .append("Reason", REASON);
}
