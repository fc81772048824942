import type {
  CxRequestResult,
  CxRequests,
  EmergencyKept,
  PushProfile,
  RegistrationTermination,
} from "../cx/cx.ts";
import { isEmergency, isEmergencyOnly, type Registration } from "../store/registration.ts";
import { tellDeregistered } from "./deregistration.ts";
import type { ScscfModules } from "./modules.ts";
import { changeRegistration } from "./registration-change.ts";

/** Network-initiated deregistration (TS 24.229 §5.4.1.5) and change of profile (TS 29.228 §6.6), asked for by the HSS. */
export function networkInitiated(modules: ScscfModules): CxRequests {
  return {
    registrationTermination: (request) => terminate(modules, request),
    pushProfile: (request) => push(modules, request),
  };
}

/**
 * What contacts are told to have met (TS 29.228 §6.1.3, TS 24.229 §5.4.1.5): "rejected" need not register again, "deactivated" is to do so at
 * once. "moved": the user stays registered, elsewhere or not at all; the state here goes and nobody is told that a registration has ended.
 */
const EVENTS = {
  PERMANENT_TERMINATION: "rejected",
  SERVER_CHANGE: "deactivated",
  NEW_SERVER_ASSIGNED: "moved",
  REMOVE_SCSCF: "moved",
} as const satisfies Record<RegistrationTermination["reason"], string>;

async function terminate(
  modules: ScscfModules,
  request: RegistrationTermination,
): Promise<CxRequestResult | EmergencyKept> {
  const { registrations } = modules;
  const impis = new Set([request.impi, ...request.associatedImpis]);
  const keys = new Set(request.impus);
  if (keys.size === 0)
    for (const impi of impis) for (const key of await registrations.setsOf(impi)) keys.add(key);
  let known = false;
  const kept = new Map<string, EmergencyKept["kept"][number]>();
  for (const key of keys) {
    const found = await registrations.find(key);
    if (found.kind === "unavailable") return "unavailable";
    if (found.kind === "notFound") continue;
    known = true;
    const left = await end(modules, found.registration, impis, EVENTS[request.reason]);
    if (left === "unavailable") return "unavailable";
    for (const impi of left)
      kept.set(`${impi} ${found.registration.impu}`, { impi, impu: found.registration.impu });
  }
  if (kept.size > 0) return { kept: [...kept.values()] };
  return known ? "success" : "unknownUser";
}

/**
 * No SAR: the HSS has removed the assignment already (TS 29.228 §6.1.3). Emergency registrations stay (TS 24.229 §5.4.8.4), unless another
 * S-CSCF has the user: whose they are is told.
 */
async function end(
  modules: ScscfModules,
  found: Registration,
  impis: ReadonlySet<string>,
  event: (typeof EVENTS)[keyof typeof EVENTS],
): Promise<readonly string[] | "unavailable"> {
  let before: Registration | undefined;
  const stays = event === "moved" ? () => false : isEmergency;
  const without = (current: Registration | undefined): Registration | "remove" | "keep" => {
    before = current;
    if (current === undefined) return "keep";
    const left = current.bindings.filter((binding) => !impis.has(binding.impi) || stays(binding));
    return left.length === 0 ? "remove" : { ...current, bindings: left };
  };
  if (event !== "moved") {
    const stored = await changeRegistration(modules, found.impu, event, without);
    if (stored.kind === "unavailable") return "unavailable";
    stored.tell();
    const left = stored.kind === "stored" ? stored.registration.bindings : [];
    if (stored.kind === "removed" || isEmergencyOnly({ bindings: left }))
      tellDeregistered(modules, before ?? found, "network");
    return left.filter((one) => impis.has(one.impi) && isEmergency(one)).map(({ impi }) => impi);
  }
  const stored = await modules.registrations.update(found.impu, without);
  if (stored.kind === "unavailable") return "unavailable";
  if (stored.kind === "removed") modules.notifier.tellMoved(before ?? found);
  return [];
}

async function push(modules: ScscfModules, request: PushProfile): Promise<CxRequestResult> {
  const { registrations, readProfile } = modules;
  const profile = request.profileXml === undefined ? undefined : readProfile(request.profileXml);
  if (request.profileXml !== undefined && profile === undefined) return "notSupportedUserData";
  const keys =
    profile === undefined
      ? await registrations.setsOf(request.impi)
      : profile.members.map(({ canonical }) => canonical);
  for (const key of keys) {
    const found = await registrations.find(key);
    if (found.kind === "unavailable") return "unavailable";
    if (found.kind === "notFound") continue;
    let before: Registration | undefined;
    const stored = await changeRegistration(modules, found.registration.impu, "rejected", (current) => {
      before = current;
      if (current === undefined) return "keep";
      return {
        ...current,
        charging: request.charging ?? current.charging,
        // The same text is no other profile.
        ...(profile === undefined ||
        request.profileXml === undefined ||
        request.profileXml === current.profileXml
          ? {}
          : { profile, profileXml: request.profileXml, aliasesUntil: 0 }),
      };
    });
    if (stored.kind === "unavailable") return "unavailable";
    stored.tell();
    if (stored.kind === "stored" && before !== undefined)
      for (const listener of modules.listeners) listener.profileChanged?.(stored.registration, before);
    // The rest of the identities belong to the set just written.
    if (profile !== undefined) return "success";
  }
  return keys.length === 0 || profile !== undefined ? "unknownUser" : "success";
}
