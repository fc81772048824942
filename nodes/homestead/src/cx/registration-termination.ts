import type { DiameterNode, Outcome } from "@ims/diameter";
import { ReasonCodeValue, Rtr } from "@ims/diameter/cx";
import { type Hss, UNAVAILABLE } from "../hss/hss.ts";
import { notRegistered } from "../hss/subscriber.ts";
import type { ServingHosts } from "./serving-hosts.ts";

/** How a push towards the S-CSCF ended. */
export type PushOutcome =
  | { readonly kind: "done" }
  /** Nobody serves the user. */
  | { readonly kind: "notServed" }
  /** The S-CSCF answered with this code, or not at all. */
  | { readonly kind: "failed"; readonly reason: string };

export type TerminationReason = keyof typeof ReasonCodeValue;

export type TerminationModules = {
  readonly node: DiameterNode;
  readonly hss: Hss;
  readonly servers: ServingHosts;
};

/** Times that a registration is ended when the user registers again meanwhile. */
const ROUNDS = 3;

/**
 * Network initiated deregistration by the HSS: TS 29.228 §6.1.3.1. The registration ends here whatever the S-CSCF says:
 * a subscriber that was removed must not stay registered because a node was down. "unavailable": the store does not
 * answer, and nothing is promised.
 */
export async function terminateRegistration(
  impi: string,
  reason: TerminationReason,
  { node, hss, servers }: TerminationModules,
): Promise<PushOutcome | { readonly kind: "unavailable" }> {
  let outcome: PushOutcome = { kind: "notServed" };
  for (let round = 0; round < ROUNDS; round++) {
    const subscriber = await hss.byPrivateIdentity(impi);
    if (subscriber === UNAVAILABLE) return { kind: "unavailable" };
    const destination = subscriber && servers.destinationOf(subscriber.registration);
    if (subscriber === undefined || destination === undefined) return outcome;
    const answered = await node.request(
      Rtr,
      {
        userName: impi,
        publicIdentity: subscriber.identities.map(({ impu }) => impu),
        deregistrationReason: { reasonCode: ReasonCodeValue[reason] },
      },
      destination,
    );
    outcome = pushOutcome(answered);
    // §6.1.3.1: who is registered for an emergency stays so, that a PSAP can call back, until the S-CSCF says that it is over.
    if (answered.kind === "answer" && outcome.kind === "done") {
      const kept = answered.avps.identityWithEmergencyRegistration ?? [];
      if (kept.some(({ userName }) => userName === impi)) return outcome;
    }
    const saved = await hss.save(subscriber, { registration: notRegistered });
    if (saved === UNAVAILABLE) return { kind: "unavailable" };
    if (saved === "saved") return outcome;
  }
  return { kind: "failed", reason: "registered again meanwhile" };
}

/** The outcome of RTR or PPR in one word. */
export function pushOutcome(outcome: Outcome<typeof Rtr>): PushOutcome {
  if (outcome.kind === "timeout") return { kind: "failed", reason: "no answer" };
  if (outcome.kind === "unavailable") return { kind: "failed", reason: outcome.cause };
  const { code } = outcome.result;
  return code >= 2000 && code < 3000 ? { kind: "done" } : { kind: "failed", reason: `result ${code}` };
}
