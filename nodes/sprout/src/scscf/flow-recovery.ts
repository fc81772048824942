import type { Clock } from "@ims/runtime";
import { type Binding, isEmergency, liveBindings } from "../store/registration.ts";
import type { RegistrationStore } from "../store/registration-store.ts";

/** RFC 5626 §4.5: a UE that notices opens a new flow at once; who has not by then will not soon, ms. */
const RECOVERY_MS = 2_000;
const STEP_MS = 100;

/**
 * The binding of a UE that registers over a new flow because the old one is gone: its P-CSCF has said 430 (Flow Failed), it was
 * killed or is about to end, and the UE is on its way to another one. Undefined when it does not come in time.
 */
export function recoveredBinding(
  { registrations, clock }: { readonly registrations: RegistrationStore; readonly clock: Clock },
  impu: string,
  failed: Binding,
  given: { readonly isOver: () => boolean },
): Promise<Binding | undefined> {
  const until = clock.monotonic() + RECOVERY_MS;
  return new Promise((resolve) => {
    const look = async (): Promise<void> => {
      const found = await registrations.find(impu).catch(() => undefined);
      const live = found?.kind === "found" ? liveBindings(found.registration, clock.now()) : [];
      const fresh = live
        .filter((one) => isEmergency(one) === isEmergency(failed) && !isSameFlow(one, failed))
        .filter((one) => one.refreshedAt >= failed.refreshedAt)
        .sort((a, b) => b.refreshedAt - a.refreshedAt)[0];
      if (fresh !== undefined || given.isOver() || clock.monotonic() >= until) resolve(fresh);
      else clock.setTimer(STEP_MS, () => void look());
    };
    clock.setTimer(STEP_MS, () => void look());
  });
}

function isSameFlow(one: Binding, other: Binding): boolean {
  return one.contact === other.contact && one.path.join() === other.path.join();
}
