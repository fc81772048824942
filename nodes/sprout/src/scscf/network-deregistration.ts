import { isEmergency, type Registration } from "../store/registration.ts";
import { endLapsed } from "./deregistration.ts";
import type { ScscfModules } from "./modules.ts";

/**
 * Network-initiated deregistration by the S-CSCF itself: TS 24.229 §5.4.1.5. All contacts of the set go, the HSS hears of it
 * (TS 29.228 §6.1.2, ADMINISTRATIVE_DEREGISTRATION), and whoever watches the registration: the UE may try again after a while ("probation").
 * The contacts lapse first: should this member die, or the HSS not answer, the calendar ends what has been begun. "notRegistered":
 * there is nothing to do.
 */
export async function deregisterByNetwork(
  modules: ScscfModules,
  impu: string,
): Promise<"deregistered" | "notRegistered" | "unavailable"> {
  const { registrations, clock, claims } = modules;
  const found = await registrations.find(impu);
  if (found.kind !== "found") return found.kind === "notFound" ? "notRegistered" : "unavailable";
  const key = found.registration.impu;
  const now = clock.now();
  const stored = await registrations.update(key, (current) => {
    if (current?.state !== "registered") return "keep";
    const lapse = (expiresAt: number): number => Math.min(expiresAt, now);
    // §5.4.8.4: emergency registrations stay.
    const bindings = current.bindings.map((one) =>
      isEmergency(one) ? one : { ...one, expiresAt: lapse(one.expiresAt) },
    );
    return { ...current, bindings };
  });
  if (stored.kind === "unavailable") return "unavailable";
  if (stored.kind !== "stored") return "notRegistered";
  const before: Registration = stored.registration;
  // Who else is at it ends these too, or the calendar does.
  if (!(await claims.take(key))) return "deregistered";
  try {
    await endLapsed(modules, key, before, { type: "ADMINISTRATIVE_DEREGISTRATION", gone: "probation" });
  } finally {
    await claims.release(key);
  }
  return "deregistered";
}
