import { canonicalImpu, memberOf } from "@ims/ims";
import { locateUri, parseUri, type SipMessage, type Uri } from "@ims/sip";
import type { Binding, Registration } from "../store/registration.ts";
import type { Subscription } from "../store/subscription.ts";
import type { ScscfModules } from "./modules.ts";
import { assertedIdentities } from "./served-user.ts";

export type Subscriber = Pick<Subscription, "subscriber" | "kind">;

/**
 * Who may know of a registration: its user, by an identity that is not barred; whoever its Path leads through; the application servers of
 * its filter criteria (TS 24.229 §5.4.2.1.1 step 1). They are known by P-Asserted-Identity alone.
 */
export function authorisedSubscriber(
  request: SipMessage,
  registration: Registration,
  bindings: readonly Binding[],
  { filterCriteria }: Pick<ScscfModules, "filterCriteria">,
): Subscriber | undefined {
  const { profile } = registration;
  const asserted = assertedIdentities(request);
  for (const identity of asserted) {
    const impu = canonicalImpu(identity);
    const member = impu === undefined ? undefined : memberOf(profile, impu);
    if (impu !== undefined && member?.identity.barred === false) return { subscriber: impu, kind: "user" };
  }
  const places = asserted.map((identity) => placeOf(parseUri(identity))).filter((one) => one !== undefined);
  const isPlace = (uri: string): boolean => places.includes(placeOf(parseUri(uri)) ?? "");
  const [subscriber = ""] = places;
  if (places.length === 0) return undefined;
  for (const { path } of bindings)
    for (const one of path) if (isPlace(uriIn(one))) return { subscriber, kind: "edge" };
  for (const service of new Set(profile.members.map((member) => member.profile)))
    for (const name of filterCriteria.serverNames(service))
      if (isPlace(name)) return { subscriber, kind: "applicationServer" };
  return undefined;
}

/** Host and port; undefined for what is no SIP URI. */
function placeOf(uri: Uri | undefined): string | undefined {
  if (uri === undefined || (uri.scheme !== "sip" && uri.scheme !== "sips")) return undefined;
  return `${uri.host}:${uri.port ?? (uri.scheme === "sips" ? 5061 : 5060)}`;
}

function uriIn(nameAddr: string): string {
  const located = locateUri(nameAddr);
  return located === undefined ? "" : nameAddr.slice(located.start, located.end);
}
