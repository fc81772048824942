import type { NotAvailable } from "../store/copies.ts";
import { liveBindings } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";

/** Is this IMPI registered for the identity? "unknown": it may be, and whoever registers goes on as if it were not. */
export async function hasBinding(
  { registrations, clock }: ScscfModules,
  impu: string,
  impi: string,
): Promise<boolean | "unknown" | NotAvailable> {
  const found = await registrations.find(impu);
  if (found.kind === "unavailable") return found.unknown ? "unknown" : found;
  if (found.kind === "notFound") return false;
  return liveBindings(found.registration, clock.now()).some((binding) => binding.impi === impi);
}
