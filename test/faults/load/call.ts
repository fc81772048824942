import { setTimeout as delay } from "node:timers/promises";
import type { SipMessage } from "@ims/sip";
import type { CallOperation } from "../history/operations.ts";
import { callerDialog, type Dialog, inDialog } from "./dialog.ts";
import { register } from "./registration.ts";
import type { Ue } from "./ue.ts";

const SDP =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
/** A UE whose edge node is gone tries this often in all. */
const MOST_TRIES = 3;
/** How long a UE waits for its new registration before it tries again, ms. */
const RECOVERY_MS = 10_000;

/** Refusals of a BYE that may be different a moment later, and that moment, ms. */
const LATER: ReadonlySet<number> = new Set([430, 480, 503]);
const AGAIN_MS = 500;

export interface CallPlan {
  /** Time between the ACK and the BYE, ms. */
  readonly hold: number;
  readonly endedBy: "caller" | "callee";
}

/** One call from its INVITE to its end, as the caller sees it: RFC 3261 §13.2. */
export async function call(ue: Ue, callee: Ue, plan: CallPlan): Promise<CallOperation> {
  const { world } = ue;
  const operation: CallOperation = {
    kind: "call",
    id: ue.newId("call"),
    caller: ue.aor,
    callee: callee.aor,
    transport: ue.options.transport,
    times: { invited: world.now() },
    callerBonos: [ue.edge.name],
    calleeBonos: [callee.edge.name],
    status: 0,
    byeStatus: 0,
    duplicates: 0,
    over: false,
  };
  world.history.calls.push(operation);
  world.calls.set(operation.id, operation);
  const answered = await invite(ue, operation);
  if (answered === undefined) {
    finish(ue, operation);
    return operation;
  }
  const { dialog } = answered;
  world.reached("before-ack", legs(operation));
  acknowledge(ue, dialog, operation);
  setTimeout(() => world.reached("in-call", legs(operation)), plan.hold / 2);
  await delay(plan.hold);
  if (plan.endedBy === "caller" && !ue.closed) await hangUp(ue, dialog, operation, "caller");
  // The callee writes to the same record; it hangs up at the time of the plan.
  for (let waited = 0; operation.byeStatus === 0 && waited < 20_000 && !ue.closed; waited += 50)
    await delay(50);
  finish(ue, operation);
  return operation;
}

/** INVITE until it is answered; undefined when it is not. A UE that lost its edge node before any answer tries elsewhere. */
async function invite(ue: Ue, operation: CallOperation): Promise<{ dialog: Dialog } | undefined> {
  const { world } = ue;
  const { times } = operation;
  for (let tries = 1; tries <= MOST_TRIES && !ue.closed; tries++) {
    const request = inviteFor(ue, operation, tries);
    const outcome = await new Promise<SipMessage | "lost" | "silent" | "timeout">((resolve) => {
      ue.start(request, {
        provisional: (response) => {
          if (response.status === 100) times.trying ??= world.now();
          if (response.status === 180) times.ringing ??= world.now();
          if (response.status === 180) world.reached("after-180", legs(operation));
        },
        final: resolve,
        failed: resolve,
      });
      world.reached("invite-sent", legs(operation));
    });
    if (typeof outcome !== "string") {
      operation.status = outcome.status;
      if (outcome.status !== 200) operation.reason = outcome.reason;
      if (outcome.status === 200) {
        times.answered ??= world.now();
        return { dialog: callerDialog(request, outcome) };
      }
      // 403: the edge node does not know the UE (any more). 503: it would not serve now.
      if (outcome.status === 403 && tries === 1) await register(ue, "refresh");
      else if (outcome.status !== 503 || times.ringing !== undefined || !ue.turnedAway()) return undefined;
    } else {
      // With a 1xx the far end may be ringing already: a second INVITE would be another call.
      if (outcome === "timeout" || times.trying !== undefined || times.ringing !== undefined)
        return undefined;
      if (outcome === "silent") ue.moveOn();
    }
    if (!(await registeredAgain(ue))) return undefined;
    operation.callerBonos.push(ue.edge.name);
  }
  return undefined;
}

function inviteFor(ue: Ue, operation: CallOperation, cseq: number): SipMessage {
  const request = ue.request("INVITE", operation.callee, {
    from: `<${ue.aor}>;tag=${operation.id}`,
    to: `<${operation.callee}>`,
    callId: operation.id,
    cseq,
  });
  for (const route of ue.serviceRoute) request.append("Route", route);
  return request
    .append("Contact", ue.contact)
    .append("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS")
    .setBody(SDP, "application/sdp");
}

/** ACK to the 2xx, and again for every copy of it: RFC 3261 §13.2.2.4. */
function acknowledge(ue: Ue, dialog: Dialog, operation: CallOperation): void {
  const acknowledgeAgain = (): void => {
    const request = inDialog(ue, dialog, "ACK").append("Content-Length", "0");
    ue.sendText(request.toString());
  };
  operation.times.acked = ue.world.now();
  acknowledgements.set(operation, acknowledgeAgain);
  acknowledgeAgain();
}

const acknowledgements = new WeakMap<CallOperation, () => void>();

/** A 2xx that no transaction waits for is a copy: its ACK was lost. */
export function strayAnswer(ue: Ue, response: SipMessage): void {
  if (response.cseqMethod !== "INVITE" || response.status !== 200) return;
  const operation = ue.world.calls.get(response.callId);
  if (operation !== undefined) acknowledgements.get(operation)?.();
}

/** BYE from either end; over another edge node when the current one is gone. */
export async function hangUp(
  ue: Ue,
  dialog: Dialog,
  operation: CallOperation,
  by: "caller" | "callee",
): Promise<void> {
  operation.times.byeSent = ue.world.now();
  for (let tries = 1; tries <= MOST_TRIES && !ue.closed; tries++) {
    // Over a new flow nobody is known before he has registered.
    if (!ue.settled && !(await registeredAgain(ue))) break;
    const answer = await ue.ask(inDialog(ue, dialog, "BYE"));
    if (answer.kind === "final") {
      operation.byeStatus = answer.response.status;
      if (answer.response.status !== 200) operation.reason = answer.response.reason;
      operation.times.byeAnswered = ue.world.now();
      // The other end has no flow at this moment: it is about to get one.
      if (!LATER.has(answer.response.status) || tries === MOST_TRIES) return;
      await delay(AGAIN_MS);
      continue;
    }
    if (answer.why === "silent") ue.moveOn();
    if (!(await registeredAgain(ue))) break;
    (by === "caller" ? operation.callerBonos : operation.calleeBonos).push(ue.edge.name);
  }
  operation.byeStatus = 408;
}

/** Waits until the UE is registered over its (new) edge node. */
async function registeredAgain(ue: Ue): Promise<boolean> {
  const until = ue.world.now() + RECOVERY_MS;
  while (!ue.closed && ue.world.now() < until) {
    if (ue.settled) return true;
    await delay(10);
  }
  return false;
}

function legs({ callerBonos, calleeBonos }: CallOperation): string[] {
  return [callerBonos.at(-1) ?? "", calleeBonos.at(-1) ?? ""];
}

function finish(ue: Ue, operation: CallOperation): void {
  operation.over = true;
  // Late copies may still come.
  setTimeout(() => ue.world.calls.delete(operation.id), 40_000).unref();
}
