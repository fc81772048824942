import { liveBindings } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";

/** Is this IMPI registered for the identity? */
export async function hasBinding(
  { registrations, clock }: ScscfModules,
  impu: string,
  impi: string,
): Promise<boolean | "unavailable"> {
  const found = await registrations.find(impu);
  if (found.kind === "unavailable") return "unavailable";
  if (found.kind === "notFound") return false;
  return liveBindings(found.registration, clock.now()).some((binding) => binding.impi === impi);
}
