import type { AssignmentType, ServerAssignmentOutcome } from "../cx/cx.ts";
import { type Binding, liveBindings, type Registration } from "../store/registration.ts";
import { NO_SUBSCRIPTIONS } from "../store/subscription.ts";
import type { BindingChange } from "./binding-change.ts";
import type { ScscfModules } from "./modules.ts";

/** Server-Assignment-Type for what is about to happen; undefined when the HSS need not hear of it. */
export function assignmentFor(
  before: Registration | undefined,
  after: readonly Binding[],
  { user, now, modules }: BindingChange,
): AssignmentType | undefined {
  const own = ({ impi }: Binding): boolean => impi === user.impi;
  const has = after.some(own);
  // Of what has lapsed the HSS may not have been told.
  if (!has) return before?.bindings.some(own) ? "USER_DEREGISTRATION" : undefined;
  if (before === undefined || !liveBindings(before, now).some(own)) return "REGISTRATION";
  return modules.options.confirmReregistrations ? "RE_REGISTRATION" : undefined;
}

/** Tells the HSS: SAR, TS 29.228 §6.1.2. */
export function assign(
  type: AssignmentType,
  { user, modules }: BindingChange,
  before: Registration | undefined,
): Promise<ServerAssignmentOutcome> {
  return modules.cx.serverAssignment({
    type,
    serverName: modules.options.scscfUri,
    impi: user.impi,
    impus: [user.impu],
    // A first registration always fetches the profile: the one kept may be an unregistered user's (TS 29.228 §6.6).
    profileKnown: type !== "REGISTRATION" && before !== undefined,
  });
}

/** The set to write, but for its bindings; undefined when there is no profile, or all its identities are barred and it is no emergency. */
export function profileOf(
  before: Registration | undefined,
  assigned: ServerAssignmentOutcome | undefined,
  { readProfile }: ScscfModules,
  emergency = false,
): Registration | undefined {
  if (assigned?.kind !== "assigned" || assigned.profileXml === undefined)
    return before === undefined ? undefined : { ...before, state: "registered", heldUntil: 0 };
  const { profileXml, charging } = assigned;
  const profile = profileXml === before?.profileXml ? before.profile : readProfile(profileXml);
  const impu =
    profile?.defaultIdentity?.canonical ?? (emergency ? profile?.members[0]?.canonical : undefined);
  if (profile === undefined || impu === undefined) return undefined;
  return {
    impu,
    state: "registered",
    bindings: before?.bindings ?? [],
    charging: charging ?? before?.charging,
    profileXml,
    profile,
    aliasesUntil: 0,
    heldUntil: 0,
    subscriptions: NO_SUBSCRIPTIONS,
  };
}
