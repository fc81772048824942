import type { DiameterNode, Outcome } from "@ims/diameter";
import { ReasonCodeValue, Rtr } from "@ims/diameter/cx";
import { type Hss, UNAVAILABLE } from "../hss/hss.ts";
import { eachSetOf } from "../hss/stored.ts";
import { notRegistered, type Subscriber } from "../hss/subscriber.ts";
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
 * answer, and nothing is promised. `only`: the id of one of several sets.
 */
export async function terminateRegistration(
  impi: string,
  reason: TerminationReason,
  { node, hss, servers }: TerminationModules,
  only?: string,
): Promise<PushOutcome | { readonly kind: "unavailable" }> {
  let outcome: PushOutcome = { kind: "notServed" };
  const ended = new Set<string>();
  let rounds = ROUNDS;
  while (rounds-- > 0) {
    const subscriber = await hss.byPrivateIdentity(impi);
    if (subscriber === UNAVAILABLE) return { kind: "unavailable" };
    const served = subscriber && eachSetOf(subscriber).find(isToEnd);
    const destination = served && servers.destinationOf(served.registration);
    if (served === undefined || destination === undefined) return outcome;
    const answered = await node.request(
      Rtr,
      {
        userName: impi,
        publicIdentity: served.identities.map(({ impu }) => impu),
        deregistrationReason: { reasonCode: ReasonCodeValue[reason] },
      },
      destination,
    );
    const pushed = pushOutcome(answered);
    if (outcome.kind !== "failed") outcome = pushed;
    // §6.1.3.1: who is registered for an emergency stays so, that a PSAP can call back, until the S-CSCF says that it is over.
    const kept =
      answered.kind === "answer" && pushed.kind === "done"
        ? (answered.avps.identityWithEmergencyRegistration ?? [])
        : [];
    if (!kept.some(({ userName }) => userName === impi)) {
      const saved = await hss.save(served, { registration: notRegistered });
      if (saved === UNAVAILABLE) return { kind: "unavailable" };
      if (saved === "overtaken") continue;
    }
    if (served.part === undefined) return outcome;
    ended.add(served.part.set?.id ?? "");
    rounds = ROUNDS;
  }
  return { kind: "failed", reason: "registered again meanwhile" };

  function isToEnd(one: Subscriber): boolean {
    const id = one.part?.set?.id;
    if (id !== undefined && (ended.has(id) || (only !== undefined && id !== only))) return false;
    return servers.destinationOf(one.registration) !== undefined;
  }
}

/** The outcome of RTR or PPR in one word. */
export function pushOutcome(outcome: Outcome<typeof Rtr>): PushOutcome {
  if (outcome.kind === "timeout") return { kind: "failed", reason: "no answer" };
  if (outcome.kind === "unavailable") return { kind: "failed", reason: outcome.cause };
  const { code } = outcome.result;
  return code >= 2000 && code < 3000 ? { kind: "done" } : { kind: "failed", reason: `result ${code}` };
}
