import type { DiameterNode } from "@ims/diameter";
import { Ppr } from "@ims/diameter/cx";
import type { Subscriber } from "../hss/subscriber.ts";
import { userDataOf } from "../hss/user-data.ts";
import { type PushOutcome, pushOutcome } from "./registration-termination.ts";
import type { ServingHosts } from "./serving-hosts.ts";

/** HSS initiated update of user information: TS 29.228 §6.2.1. To the S-CSCF that has the profile, if there is one. */
export async function pushProfile(
  subscriber: Subscriber,
  { node, servers }: { readonly node: DiameterNode; readonly servers: ServingHosts },
): Promise<PushOutcome> {
  const destination = servers.destinationOf(subscriber.registration);
  if (destination === undefined) return { kind: "notServed" };
  const profile = { userName: subscriber.impi, userData: userDataOf(subscriber) };
  return pushOutcome(await node.request(Ppr, profile, destination));
}
