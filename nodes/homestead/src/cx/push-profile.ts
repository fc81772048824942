import type { DiameterNode } from "@ims/diameter";
import { Ppr } from "@ims/diameter/cx";
import { allSetsOf } from "../hss/stored.ts";
import type { Subscriber } from "../hss/subscriber.ts";
import { userDataOf } from "../hss/user-data.ts";
import { type PushOutcome, pushOutcome } from "./registration-termination.ts";
import type { ServingHosts } from "./serving-hosts.ts";

/** HSS initiated update of user information: TS 29.228 §6.2.1. To the S-CSCF that has the profiles, if there is one. */
export async function pushProfile(
  subscriber: Subscriber,
  { node, servers }: { readonly node: DiameterNode; readonly servers: ServingHosts },
): Promise<PushOutcome> {
  let outcome: PushOutcome = { kind: "notServed" };
  // One document describes one set (TS 29.228 §B.1).
  for (const set of allSetsOf(subscriber)) {
    const destination = servers.destinationOf(set.registration);
    if (destination === undefined) continue;
    const profile = { userName: set.impi, userData: userDataOf(set) };
    const pushed = pushOutcome(await node.request(Ppr, profile, destination));
    if (outcome.kind !== "failed") outcome = pushed;
  }
  return outcome;
}
