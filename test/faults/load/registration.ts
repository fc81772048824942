import type { SipMessage } from "@ims/sip";
import type { Move, RegisterOperation, RegisterPurpose } from "../history/operations.ts";
import type { Ue } from "./ue.ts";

/** After this a registration has failed, whatever may still come, ms. */
const GIVE_UP_MS = 20_000;
export const EXPIRES_S = 3600;

/** One registration procedure: RFC 3261 §10.2, TS 24.229 §5.1.1; every REGISTER of it is written to the history. */
export function register(ue: Ue, purpose: RegisterPurpose, expires = EXPIRES_S): Promise<RegisterOperation> {
  return ue.exclusive(() => registerNow(ue, purpose, expires));
}

/** The edge node is gone: registers over another one, unless somebody else has done so meanwhile (RFC 5626 §4.4.3). */
export function recover(ue: Ue, from: string): void {
  const { world } = ue;
  if (!ue.wanted) return;
  const move: Move = {
    aor: ue.aor,
    device: ue.options.device,
    transport: ue.options.transport,
    from,
    to: "",
    noticed: world.now(),
  };
  world.history.moves.push(move);
  void ue.exclusive(async () => {
    if (ue.closed || !ue.wanted) return;
    if (!ue.settled) await registerNow(ue, "refresh", EXPIRES_S);
    if (ue.registeredAt === undefined) return;
    move.to = ue.registeredAt.name;
    move.registered = world.now();
  });
}

async function registerNow(ue: Ue, purpose: RegisterPurpose, expires: number): Promise<RegisterOperation> {
  const { world } = ue;
  const operation: RegisterOperation = {
    kind: "register",
    purpose,
    aor: ue.aor,
    device: ue.options.device,
    transport: ue.options.transport,
    began: world.now(),
    ended: Number.POSITIVE_INFINITY,
    outcome: "unknown",
    status: 0,
    bonos: [],
    slowest: 0,
  };
  world.history.registers.push(operation);
  if (purpose === "initial" || purpose === "refresh") ue.wanted = true;
  if (purpose === "remove") ue.wanted = false;
  if (purpose === "initial") ue.digest.forget();
  const until = operation.began + GIVE_UP_MS;
  const unanswered: number[] = [];
  for (let challenges = 0; world.now() < until && (await ue.connect(until)); ) {
    const { edge } = ue;
    if (operation.bonos.at(-1) !== edge.name) operation.bonos.push(edge.name);
    const sent = world.now();
    const asked = ue.ask(requestFor(ue, purpose, expires));
    world.reached(purpose === "refresh" ? "reregister" : "register", [edge.name]);
    const answer = await asked;
    if (ue.closed) break;
    operation.slowest = Math.max(operation.slowest, world.now() - sent);
    if (answer.kind === "failed") {
      unanswered.push(sent);
      if (answer.why === "timeout") break;
      if (answer.why === "silent") ue.moveOn();
      continue;
    }
    const { response } = answer;
    operation.status = response.status;
    if (response.status !== 200) operation.reason = response.reason;
    if (response.status === 401 && challenges < 2) {
      challenges++;
      ue.digest.challenged(response.header("WWW-Authenticate") ?? "");
      continue;
    }
    // Not here, not now, or cut off from the home network: TS 24.229 §5.1.1.2.1 lets the UE try another P-CSCF. The history shows
    // that it had to.
    if ((response.status === 503 || response.status === 504) && ue.turnedAway()) {
      operation.turnedAway = `${edge.name}: ${response.status} ${response.reason}`;
      unanswered.push(sent);
      continue;
    }
    // What was asked for before and got no answer has been done.
    const gone = purpose === "remove" && unanswered.length > 0 && response.status === 403;
    if (gone) {
      ue.registeredAt = undefined;
      world.told.uncertain(ue.options.device);
    }
    operation.asked = sent;
    operation.outcome = gone ? "ok" : outcomeOf(response.status);
    if (response.status === 200) accepted(ue, operation, response, expires);
    break;
  }
  operation.ended = world.now();
  if (unanswered.length > 0) operation.unanswered = unanswered;
  if (operation.outcome === "unknown" && purpose !== "fetch") world.told.uncertain(ue.options.device);
  return operation;
}

function requestFor(ue: Ue, purpose: RegisterPurpose, expires: number): SipMessage {
  const uri = `sip:${ue.world.domain}`;
  ue.registerCseq++;
  const request = ue.request("REGISTER", uri, {
    from: `<${ue.aor}>;tag=${ue.options.device}`,
    to: `<${ue.aor}>`,
    callId: ue.registerCallId,
    cseq: ue.registerCseq,
  });
  if (purpose !== "fetch") {
    const number = ue.options.device.replace(/\D/g, "").padStart(12, "0");
    const instance = `+sip.instance="<urn:uuid:00000000-0000-1000-8000-${number}>"`;
    request.append("Contact", `${ue.contact};${instance};reg-id=1`);
    request.append("Expires", String(purpose === "remove" ? 0 : expires));
  }
  return request.append("Supported", "path, outbound").append("Authorization", ue.digest.authorization(uri));
}

function outcomeOf(status: number): "ok" | "refused" | "unknown" {
  if (status >= 200 && status < 300) return "ok";
  return status >= 500 || status === 408 ? "unknown" : "refused";
}

function accepted(ue: Ue, operation: RegisterOperation, response: SipMessage, expires: number): void {
  operation.seen = response.values("Contact").flatMap((value) => /<sip:(d\d+)@/.exec(value)?.[1] ?? []);
  if (operation.purpose === "fetch") return;
  const at = Date.now();
  const [, contact = ""] = /<([^>]*)>/.exec(ue.contact) ?? [];
  const tell = (lasts: number): void =>
    ue.world.told.accepted(ue.options.device, {
      ...{ aor: ue.aor, contact, expiresAt: at + lasts, at },
      ...{ callId: ue.registerCallId, cseq: response.cseqNumber },
    });
  if (operation.purpose === "remove") {
    ue.registeredAt = undefined;
    return tell(0);
  }
  ue.serviceRoute = response.values("Service-Route");
  ue.registered();
  const own = response.values("Contact").find((value) => value.includes(`<sip:${ue.options.device}@`));
  const granted = Number(/;expires=(\d+)/i.exec(own ?? "")?.[1] ?? response.header("Expires") ?? expires);
  operation.expires = ue.world.now() + granted * 1000;
  tell(granted * 1000);
}
