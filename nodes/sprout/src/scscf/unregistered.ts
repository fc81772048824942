import { memberOf } from "@ims/ims";
import { NO_SUBSCRIPTIONS } from "../store/subscription.ts";
import type { ScscfModules } from "./modules.ts";
import type { ServedUser } from "./served-user.ts";

/**
 * A user without a registration here: the HSS assigns us for the services of an unregistered user and gives the
 * profile (TS 24.229 §5.4.3.3 step 2, TS 29.228 §6.1.2). It is kept for a while, so that the next request does not ask again.
 */
export async function unregisteredUser(
  modules: ScscfModules,
  impu: string,
  wildcard: string | undefined,
): Promise<ServedUser> {
  const { cx, clock, options, readProfile, registrations } = modules;
  const assigned = await cx.serverAssignment({
    type: "UNREGISTERED_USER",
    serverName: options.scscfUri,
    impus: [impu],
    ...(wildcard === undefined ? {} : { wildcard }),
    profileKnown: false,
  });
  if (assigned.kind === "unavailable") return { kind: assigned.busy ? "hssBusy" : "unavailable" };
  if (assigned.kind === "rejected" || assigned.profileXml === undefined) return { kind: "notFound" };
  const profile = readProfile(assigned.profileXml);
  if (profile === undefined) return { kind: "unavailable" };
  const matched = wildcard ?? assigned.wildcard;
  const member = memberOf(profile, impu) ?? profile.members.find(({ canonical }) => canonical === matched);
  if (member === undefined) return { kind: "notFound" };
  const key = (profile.defaultIdentity ?? member).canonical;
  const fresh = {
    impu: key,
    state: "unregistered" as const,
    bindings: [],
    charging: assigned.charging,
    profileXml: assigned.profileXml,
    profile,
    aliasesUntil: 0,
    heldUntil: clock.now() + options.unregisteredSeconds * 1000,
    subscriptions: NO_SUBSCRIPTIONS,
  };
  // Who registers meanwhile wins.
  const stored = await registrations.update(key, (current) => (current === undefined ? fresh : "keep"));
  const registration =
    stored.kind === "stored" || stored.kind === "unchanged" ? (stored.registration ?? fresh) : fresh;
  return { kind: "served", registration, member, impu };
}
