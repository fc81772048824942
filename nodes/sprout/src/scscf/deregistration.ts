import type { CxRequestResult, CxRequests, PushProfile, RegistrationTermination } from "../cx/cx.ts";
import { type Binding, nextExpiry, type Registration } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";

/** Retry of a lapse that the HSS or the store could not be told of, ms. */
export const LAPSE_RETRY_MS = 30_000;
/** The same when it has been tried for a while. */
const LONGEST_RETRY_MS = 600_000;
/** How long an HSS that answers, but neither yes nor no, is asked again. */
const GIVE_UP_MS = 3_600_000;

/**
 * What has lapsed in a set goes (TS 24.229 §5.4.1.4, registration timer). Returns when to look again, ms since the
 * epoch; undefined when nothing is left. Checked against the live set: a late or doubled call does no harm.
 */
export async function removeLapsed(modules: ScscfModules, impu: string): Promise<number | undefined> {
  const { clock, claims } = modules;
  const first = await dueSet(modules, impu);
  if (first.kind === "nothing") return first.again;
  if (!(await claims.take(impu))) return clock.now() + LAPSE_RETRY_MS;
  try {
    // Read again: who had the claim before may have done it all.
    const set = await dueSet(modules, impu);
    return set.kind === "nothing" ? set.again : await endLapsed(modules, impu, set.registration);
  } finally {
    await claims.release(impu);
  }
}

type DueSet =
  | { readonly kind: "due"; readonly registration: Registration }
  | { readonly kind: "nothing"; readonly again: number | undefined };

async function dueSet({ registrations, clock }: ScscfModules, impu: string): Promise<DueSet> {
  const now = clock.now();
  const found = await registrations.find(impu);
  if (found.kind === "unavailable") return { kind: "nothing", again: now + LAPSE_RETRY_MS };
  // Whoever ended it may have died before that was durable.
  if (found.kind === "notFound" && (await registrations.confirm(impu)) === "unavailable")
    return { kind: "nothing", again: now + LAPSE_RETRY_MS };
  if (found.kind === "notFound" || found.registration.impu !== impu)
    return { kind: "nothing", again: undefined };
  const due = nextExpiry(found.registration);
  if (due !== undefined && due > now) return { kind: "nothing", again: due };
  return { kind: "due", registration: found.registration };
}

/**
 * The order matters when a member dies in between: the HSS first, for what is gone from the store nobody would tell it of. Whoever goes
 * on tells the HSS once more (which changes nothing), and the listeners, who hear of it after the removal, once.
 */
async function endLapsed(
  modules: ScscfModules,
  impu: string,
  before: Registration,
): Promise<number | undefined> {
  const { registrations, clock, cx, options, counters } = modules;
  const now = clock.now();
  // 1. IMPIs that lose their last binding are deregistered at the HSS.
  const alive = before.bindings.filter((binding) => binding.expiresAt > now);
  const gone = new Set(before.bindings.map(({ impi }) => impi));
  for (const { impi } of alive) gone.delete(impi);
  const identities = before.state === "unregistered" ? [undefined] : [...gone];
  for (const impi of identities) {
    const assigned = await cx.serverAssignment({
      type: "TIMEOUT_DEREGISTRATION",
      serverName: options.scscfUri,
      ...(impi === undefined ? {} : { impi }),
      impus: [impu],
      profileKnown: true,
    });
    if (assigned.kind === "unavailable") {
      const lapsedFor = now - (nextExpiry(before) ?? now);
      // An HSS that goes on saying that it cannot may have forgotten the assignment (TS 29.228 §6.1.2): nobody is registered for ever.
      if (assigned.answered !== true || lapsedFor < GIVE_UP_MS)
        return now + Math.min(LONGEST_RETRY_MS, Math.max(LAPSE_RETRY_MS, lapsedFor / 2));
    }
  }

  // 2. The bindings go.
  let returned: readonly string[] = [];
  const stored = await registrations.update(impu, (current) => {
    returned = [];
    if (current === undefined) return "keep";
    returned = [...gone].filter((impi) =>
      current.bindings.some((binding) => binding.impi === impi && binding.expiresAt > now),
    );
    const left = current.bindings.filter((binding) => binding.expiresAt > now);
    if (left.length === 0 && current.heldUntil <= now) return "remove";
    return left.length === current.bindings.length ? "keep" : { ...current, bindings: left };
  });
  if (stored.kind === "unavailable") return now + LAPSE_RETRY_MS;
  // 3. Who registered while the HSS was being told is registered there again.
  for (const impi of returned)
    await cx.serverAssignment({
      type: "REGISTRATION",
      serverName: options.scscfUri,
      impi,
      impus: [impu],
      profileKnown: true,
    });
  if (stored.kind !== "unchanged") counters.registration("lapsed");
  if (stored.kind === "removed") tellDeregistered(modules, before);
  if (stored.kind === "stored")
    for (const listener of modules.listeners) listener.registered(stored.registration, false);
  return stored.kind === "stored" || stored.kind === "unchanged"
    ? stored.registration && nextExpiry(stored.registration)
    : undefined;
}

/** RFC 5626 §5.3: a flow that the edge proxy reports dead (430) is no binding any more. */
export function removeFailedFlow(modules: ScscfModules, impu: string, failed: Binding): void {
  modules.registrations
    .update(impu, (current) => {
      if (current === undefined) return "keep";
      const left = current.bindings.filter(
        (binding) =>
          binding.key !== failed.key || binding.impi !== failed.impi || binding.cseq !== failed.cseq,
      );
      // The last binding stays: the registration lapses by its timer, which tells the HSS.
      return left.length === 0 || left.length === current.bindings.length
        ? "keep"
        : { ...current, bindings: left };
    })
    .catch(() => {});
}

/** Network-initiated deregistration (TS 24.229 §5.4.1.5) and change of profile (TS 29.228 §6.6), asked for by the HSS. */
export function networkInitiated(modules: ScscfModules): CxRequests {
  return {
    registrationTermination: (request) => terminate(modules, request),
    pushProfile: (request) => push(modules, request),
  };
}

async function terminate(modules: ScscfModules, request: RegistrationTermination): Promise<CxRequestResult> {
  const { registrations } = modules;
  const impis = new Set([request.impi, ...request.associatedImpis]);
  const keys = new Set(request.impus);
  if (keys.size === 0)
    for (const impi of impis) for (const key of await registrations.setsOf(impi)) keys.add(key);
  let known = false;
  for (const key of keys) {
    const found = await registrations.find(key);
    if (found.kind === "unavailable") return "unavailable";
    if (found.kind === "notFound") continue;
    known = true;
    const before = found.registration;
    // No SAR: the HSS has removed the assignment already (TS 29.228 §6.1.3).
    const stored = await registrations.update(before.impu, (current) => {
      if (current === undefined) return "keep";
      const left = current.bindings.filter((binding) => !impis.has(binding.impi));
      return left.length === 0 ? "remove" : { ...current, bindings: left };
    });
    if (stored.kind === "unavailable") return "unavailable";
    if (stored.kind === "removed") tellDeregistered(modules, before);
  }
  return known ? "success" : "unknownUser";
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
    const stored = await registrations.update(found.registration.impu, (current) => {
      if (current === undefined) return "keep";
      return {
        ...current,
        charging: request.charging ?? current.charging,
        ...(profile === undefined || request.profileXml === undefined
          ? {}
          : { profile, profileXml: request.profileXml, aliasesUntil: 0 }),
      };
    });
    if (stored.kind === "unavailable") return "unavailable";
    if (stored.kind === "stored")
      for (const listener of modules.listeners) listener.registered(stored.registration, false);
    // The rest of the identities belong to the set just written.
    if (profile !== undefined) return "success";
  }
  return keys.length === 0 || profile !== undefined ? "unknownUser" : "success";
}

function tellDeregistered(modules: ScscfModules, before: Registration): void {
  for (const listener of modules.listeners) listener.deregistered(before.impu, before);
}
