import type { DiameterNode } from "@ims/diameter";
import { Ppr } from "@ims/diameter/cx";
import type { Subscriber } from "../hss/subscriber.ts";
import { userDataOf } from "../hss/user-data.ts";
import { type PushOutcome, pushOutcome } from "./registration-termination.ts";

/** HSS initiated update of user information: TS 29.228 §6.2.1. To the S-CSCF that has the profile, if there is one. */
export async function pushProfile(subscriber: Subscriber, node: DiameterNode): Promise<PushOutcome> {
  const { state, originHost, originRealm } = subscriber.registration;
  if (originHost === undefined || originRealm === undefined || state === "notRegistered")
    return { kind: "notServed" };
  const outcome = await node.request(
    Ppr,
    { userName: subscriber.impi, userData: userDataOf(subscriber) },
    { destinationHost: originHost, destinationRealm: originRealm },
  );
  return pushOutcome(outcome);
}
