import type { Registration } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";

/**
 * Network-initiated deregistration by the S-CSCF itself: TS 24.229 §5.4.1.5. All contacts of the set go, the HSS hears of it
 * (TS 29.228 §6.1.2, ADMINISTRATIVE_DEREGISTRATION), and whoever watches the registration. "notRegistered": there is nothing to do.
 */
export async function deregisterByNetwork(
  modules: ScscfModules,
  impu: string,
): Promise<"deregistered" | "notRegistered" | "unavailable"> {
  const { registrations, cx, options, listeners } = modules;
  const found = await registrations.find(impu);
  if (found.kind !== "found") return found.kind === "notFound" ? "notRegistered" : "unavailable";
  const key = found.registration.impu;
  let before: Registration | undefined;
  const stored = await registrations.update(key, (current) => {
    before = current?.state === "registered" ? current : undefined;
    return before === undefined ? "keep" : "remove";
  });
  if (stored.kind === "unavailable") return "unavailable";
  if (stored.kind !== "removed" || before === undefined) return "notRegistered";
  for (const impi of new Set(before.bindings.map((binding) => binding.impi)))
    await cx.serverAssignment({
      type: "ADMINISTRATIVE_DEREGISTRATION",
      serverName: options.scscfUri,
      impi,
      impus: [key],
      profileKnown: true,
    });
  for (const listener of listeners) listener.deregistered(key, before);
  return "deregistered";
}
