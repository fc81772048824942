import { responseTo, type SipMessage } from "@ims/sip";
import type { CallOperation } from "../history/operations.ts";
import { hangUp } from "./call.ts";
import { calleeDialog, type Dialog } from "./dialog.ts";
import type { Ue } from "./ue.ts";

/** RFC 3261 §13.3.1.4 */
const T1_MS = 500;
const T2_MS = 4000;
const TIMER_H_MS = 32_000;

export interface CalleePlan {
  /** Time from the INVITE to the 200, ms. */
  readonly ring: number;
  /** Time from the ACK to the BYE when this end hangs up, ms; undefined: the caller does. */
  readonly hold: number | undefined;
}

interface Incoming {
  readonly branch: string;
  readonly cseq: number;
  /** Of our end of the dialog. */
  readonly tag: string;
  readonly operation: CallOperation;
  readonly dialog: Dialog;
  readonly plan: CalleePlan;
  /** The last response, for copies of the INVITE. */
  response: string;
  reply: (text: string) => void;
  acknowledged: boolean;
}

/** Answers what comes in: RFC 3261 §13.3 for INVITE, 200 for OPTIONS and BYE. */
export class Callee {
  readonly #ue: Ue;
  readonly #plans: Map<string, CalleePlan>;
  readonly #calls = new Map<string, Incoming>();

  /** `plans` by Call-ID, made by whoever starts the call. */
  constructor(ue: Ue, plans: Map<string, CalleePlan>) {
    this.#ue = ue;
    this.#plans = plans;
  }

  receive(request: SipMessage, reply: (text: string) => void): void {
    const { world, aor, options } = this.#ue;
    if (request.method === "INVITE") return this.#invited(request, reply);
    if (request.method === "ACK") return this.#acknowledged(request);
    if (request.method === "OPTIONS")
      world.history.deliveries.push({ at: world.now(), aor, device: options.device, method: "OPTIONS" });
    this.#ue.answer(request, 200, reply);
    if (request.method === "BYE" && this.#calls.get(request.callId)?.tag === request.toTag)
      this.#calls.delete(request.callId);
  }

  #invited(request: SipMessage, reply: (text: string) => void): void {
    const { world, aor, options } = this.#ue;
    const branch = request.topVia?.branch ?? "";
    const known = this.#calls.get(request.callId);
    if (known?.branch === branch) {
      known.reply = reply;
      return reply(known.response);
    }
    // The same request by another way: RFC 3261 §8.2.2.2.
    if (known?.cseq === request.cseqNumber) {
      known.operation.duplicates++;
      return this.#ue.answer(request, 482, reply);
    }
    // A caller that tried again itself counts up (§8.1.1.5): another request, for which the one that it has given up makes room.
    if (known !== undefined && (known.acknowledged || known.cseq > request.cseqNumber))
      return this.#ue.answer(request, 486, reply);
    world.history.deliveries.push({ at: world.now(), aor, device: options.device, method: "INVITE" });
    const operation = world.calls.get(request.callId);
    if (operation === undefined) return this.#ue.answer(request, 486, reply);
    operation.times.calleeInvited ??= world.now();
    const plan = this.#plans.get(request.callId) ?? { ring: 50, hold: undefined };
    const cseq = request.cseqNumber;
    const tag = `${options.device}.${cseq}`;
    const ringing = this.#response(request, 180, tag).toString();
    const dialog = calleeDialog(request, tag);
    const call: Incoming = {
      ...{ branch, cseq, tag, operation, dialog, plan },
      ...{ response: ringing, reply, acknowledged: false },
    };
    this.#calls.set(request.callId, call);
    // A hop that answers within 200 ms sends no 100 (RFC 3261 §17.2.1): here every hop has taken the INVITE.
    const { callerBonos, calleeBonos } = operation;
    world.reached("after-100", [callerBonos.at(-1) ?? "", calleeBonos.at(-1) ?? ""]);
    reply(ringing);
    setTimeout(() => this.#pickUp(request, call), plan.ring);
  }

  #pickUp(request: SipMessage, call: Incoming): void {
    if (this.#ue.closed || this.#isOver(call)) return;
    const { world } = this.#ue;
    const { callerBonos, calleeBonos } = call.operation;
    world.reached("before-200", [callerBonos.at(-1) ?? "", calleeBonos.at(-1) ?? ""]);
    call.operation.times.calleeAnswered = world.now();
    call.response = this.#response(request, 200, call.tag).toString();
    this.#repeat(call, T1_MS, world.now() + TIMER_H_MS);
  }

  /** 200 again and again until the ACK, whatever the transport: RFC 3261 §13.3.1.4. */
  #repeat(call: Incoming, ms: number, until: number): void {
    if (call.acknowledged || this.#ue.closed || this.#isOver(call) || this.#ue.world.now() > until) return;
    call.reply(call.response);
    setTimeout(() => this.#repeat(call, Math.min(ms * 2, T2_MS), until), ms).unref();
  }

  #acknowledged(request: SipMessage): void {
    const call = this.#calls.get(request.callId);
    // That of a refusal has the tag of the refusal.
    if (call === undefined || call.acknowledged || call.tag !== request.toTag) return;
    call.acknowledged = true;
    call.operation.times.calleeAcked = this.#ue.world.now();
    const { hold } = call.plan;
    if (hold === undefined) return;
    setTimeout(() => {
      if (!this.#ue.closed) void hangUp(this.#ue, call.dialog, call.operation, "callee");
    }, hold);
  }

  /** Ended, or given up by its caller for another try. */
  #isOver(call: Incoming): boolean {
    return this.#calls.get(call.dialog.callId) !== call;
  }

  #response(request: SipMessage, status: number, toTag: string): SipMessage {
    const response = responseTo(request, status, { toTag });
    return response.append("Contact", this.#ue.contact);
  }
}
