import type { ContactEvent } from "@ims/ims";
import type { AssignmentType } from "../cx/cx.ts";
import {
  type Binding,
  isEmergency,
  isEmergencyOnly,
  nextExpiry,
  nextLapse,
  type Registration,
} from "../store/registration.ts";
import { nextDue } from "../store/subscription.ts";
import type { ScscfModules } from "./modules.ts";
import { changeRegistration } from "./registration-change.ts";

/** Retry of a lapse that the HSS or the store could not be told of, ms. */
export const LAPSE_RETRY_MS = 30_000;
/** The same when it has been tried for a while. */
const LONGEST_RETRY_MS = 600_000;
/** So long after it was due a lapse is left to the site that wrote the set last. */
export const TAKE_OVER_MS = 180_000;
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
    return set.kind === "nothing" ? set.again : await handleDue(modules, impu, set.registration);
  } finally {
    await claims.release(impu);
  }
}

type DueSet =
  | { readonly kind: "due"; readonly registration: Registration }
  | { readonly kind: "nothing"; readonly again: number | undefined };

/** What has lapsed goes; then the subscribers (TS 24.229 §5.4.2.1): whose time is over, and who has not been told. */
async function handleDue(
  modules: ScscfModules,
  impu: string,
  registration: Registration,
): Promise<number | undefined> {
  const { clock, notifier } = modules;
  const lapse = nextLapse(registration);
  const lapses = registration.state !== "terminated" && (lapse ?? 0) <= clock.now();
  const again = lapses ? await endLapsed(modules, impu, registration) : lapse;
  const due = nextDue(registration.subscriptions);
  if (due === undefined || due > clock.now()) return again;
  const left = await notifier.lookAfter(impu);
  if (left === "unavailable") return clock.now() + LAPSE_RETRY_MS;
  const next = left && nextExpiry(left);
  return again === undefined || next === undefined ? (again ?? next) : Math.min(again, next);
}

async function dueSet({ registrations, clock }: ScscfModules, impu: string): Promise<DueSet> {
  const now = clock.now();
  const found = await registrations.findWhole(impu, true);
  if (found.kind === "unavailable") return { kind: "nothing", again: now + LAPSE_RETRY_MS };
  // Whoever ended it may have died before that was durable.
  if (found.kind === "notFound" && (await registrations.confirm(impu)) === "unavailable")
    return { kind: "nothing", again: now + LAPSE_RETRY_MS };
  if (found.kind === "notFound" || found.registration.impu !== impu)
    return { kind: "nothing", again: undefined };
  const due = nextExpiry(found.registration);
  if (due !== undefined && due > now) return { kind: "nothing", again: due };
  // What was written at the other site last is ended there, unless that is not done.
  const { site = registrations.site } = found.registration;
  const turn = (due ?? 0) + TAKE_OVER_MS;
  if (site !== registrations.site && registrations.site !== undefined && now < turn)
    return { kind: "nothing", again: turn };
  return { kind: "due", registration: found.registration };
}

const TIMEOUT = { type: "TIMEOUT_DEREGISTRATION", gone: "expired" } as const;

/**
 * The order matters when a member dies in between: the HSS first, for what is gone from the store nobody would tell it of. Whoever goes
 * on tells the HSS once more (which changes nothing), and the listeners, who hear of it after the removal, once.
 */
export async function endLapsed(
  modules: ScscfModules,
  impu: string,
  before: Registration,
  { type, gone: event }: { readonly type: AssignmentType; readonly gone: ContactEvent } = TIMEOUT,
): Promise<number | undefined> {
  const { clock, cx, options, counters } = modules;
  const now = clock.now();
  // 1. IMPIs that lose their last binding are deregistered at the HSS.
  const alive = before.bindings.filter((binding) => binding.expiresAt > now);
  const gone = new Set(before.bindings.map(({ impi }) => impi));
  for (const { impi } of alive) gone.delete(impi);
  const identities = before.state === "unregistered" ? [undefined] : [...gone];
  for (const impi of identities) {
    const assigned = await cx.serverAssignment({
      type,
      serverName: options.scscfUri,
      ...(impi === undefined ? {} : { impi }),
      impus: [impu],
      profileKnown: true,
    });
    if (assigned.kind === "unavailable") {
      const lapsedFor = now - (nextLapse(before) ?? now);
      // An HSS that goes on saying that it cannot may have forgotten the assignment (TS 29.228 §6.1.2): nobody is registered for ever.
      if (assigned.answered !== true || lapsedFor < GIVE_UP_MS)
        return now + Math.min(LONGEST_RETRY_MS, Math.max(LAPSE_RETRY_MS, lapsedFor / 2));
    }
  }

  // 2. The bindings go.
  let returned: readonly string[] = [];
  const stored = await changeRegistration(modules, impu, event, (current) => {
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
  stored.tell();
  const by = type === TIMEOUT.type ? "expiry" : "network";
  if (stored.kind === "removed") tellDeregistered(modules, before, by);
  else if (stored.kind === "stored" && isEmergencyOnly(stored.registration))
    tellDeregistered(modules, before, by);
  else if (stored.kind === "stored")
    for (const listener of modules.listeners) listener.registered(stored.registration, false);
  return stored.kind === "stored" || stored.kind === "unchanged"
    ? stored.registration && nextExpiry(stored.registration)
    : undefined;
}

/** RFC 5626 §5.3: a flow that the edge proxy reports dead (430) is no binding any more. */
export function removeFailedFlow(modules: ScscfModules, impu: string, failed: Binding): void {
  // TS 24.229 §5.4.8.4: the network ends no emergency registration.
  if (isEmergency(failed)) return;
  changeRegistration(modules, impu, "deactivated", (current) => {
    if (current === undefined) return "keep";
    const left = current.bindings.filter(
      (binding) => binding.key !== failed.key || binding.impi !== failed.impi || binding.cseq !== failed.cseq,
    );
    // The last binding stays: the registration lapses by its timer, which tells the HSS.
    return left.length === 0 || left.length === current.bindings.length
      ? "keep"
      : { ...current, bindings: left };
  }).then(
    ({ tell }) => tell(),
    () => {},
  );
}

/** Those who want to know of the end of a set; of an emergency registration nobody does. */
export function tellDeregistered(
  modules: ScscfModules,
  before: Registration,
  by: "expiry" | "network",
): void {
  if (isEmergencyOnly(before)) return;
  for (const listener of modules.listeners) listener.deregistered(before.impu, before, undefined, by);
}
