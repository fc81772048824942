import type { DiameterNode, Outcome } from "@ims/diameter";
import { ReasonCodeValue, Rtr } from "@ims/diameter/cx";
import type { Hss } from "../hss/hss.ts";
import type { Subscriber } from "../hss/subscriber.ts";

/** How a push towards the S-CSCF ended. */
export type PushOutcome =
  | { readonly kind: "done" }
  /** Nobody serves the user. */
  | { readonly kind: "notServed" }
  /** The S-CSCF answered with this code, or not at all. */
  | { readonly kind: "failed"; readonly reason: string };

export type TerminationReason = keyof typeof ReasonCodeValue;

/**
 * Network initiated deregistration by the HSS: TS 29.228 §6.1.3.1. The registration ends here whatever the S-CSCF says:
 * a subscriber that was removed must not stay registered because a node was down.
 */
export async function terminateRegistration(
  subscriber: Subscriber,
  reason: TerminationReason,
  { node, hss }: { readonly node: DiameterNode; readonly hss: Hss },
): Promise<PushOutcome> {
  const { registration } = subscriber;
  const { originHost, originRealm } = registration;
  if (originHost === undefined || originRealm === undefined || registration.state === "notRegistered") {
    return { kind: "notServed" };
  }
  const outcome = await node.request(
    Rtr,
    {
      userName: subscriber.impi,
      publicIdentity: subscriber.identities.map(({ impu }) => impu),
      deregistrationReason: { reasonCode: ReasonCodeValue[reason] },
    },
    { destinationHost: originHost, destinationRealm: originRealm },
  );
  registration.state = "notRegistered";
  registration.authenticationPending = false;
  registration.serverName = undefined;
  registration.originHost = undefined;
  registration.originRealm = undefined;
  hss.changed(subscriber);
  return pushOutcome(outcome);
}

/** The outcome of RTR or PPR in one word. */
export function pushOutcome(outcome: Outcome<typeof Rtr>): PushOutcome {
  if (outcome.kind === "timeout") return { kind: "failed", reason: "no answer" };
  if (outcome.kind === "unavailable") return { kind: "failed", reason: outcome.cause };
  const { code } = outcome.result;
  return code >= 2000 && code < 3000 ? { kind: "done" } : { kind: "failed", reason: `result ${code}` };
}
