import { type AckContext, popOwnRoutes, type RequestContext, type SipMessage } from "@ims/sip";
import type { NotAvailable } from "../store/copies.ts";
import { liveBindings } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";
import { refuseForStore } from "./store-away.ts";

/** Request inside a dialog: TS 24.229 §5.4.3.2 and §5.4.3.3, subsequent requests. Follows its Route, whatever the registration. */
export async function inDialog(context: RequestContext, modules: ScscfModules): Promise<void> {
  const interval = modules.sessionTimers?.of(context.request);
  if (interval?.kind === "refused") return context.respond(422, interval);
  const forwarded = context.forward();
  if (interval !== undefined) {
    interval.edit(forwarded);
    context.onUpstream(interval.answer);
  }
  popOwnRoutes(forwarded, modules);
  const resolved = await resolveTarget(forwarded, modules);
  if (resolved === "gone") return context.respond(480);
  if (resolved !== "ok") return refuseForStore(context, resolved);
  context.fork(forwarded, { destination: { kind: "uri", side: modules.options.side } });
}

/** ACK for a 2xx takes the same way; it cannot be refused. */
export function ack(context: AckContext, modules: ScscfModules): void {
  const forwarded = context.forward();
  popOwnRoutes(forwarded, modules);
  const send = (): void => context.send(forwarded, { kind: "uri", side: modules.options.side });
  if (modules.gruus.resolve(forwarded.requestUri) === undefined) return send();
  resolveTarget(forwarded, modules).then(
    (resolved) => {
      if (resolved === "ok") send();
    },
    () => {},
  );
}

/** RFC 5627 §5.2: a GRUU of ours becomes the contact of its instance, by the way that it registered. */
async function resolveTarget(
  request: SipMessage,
  { gruus, registrations, clock }: ScscfModules,
): Promise<"ok" | "gone" | NotAvailable> {
  const gruu = gruus.resolve(request.requestUri);
  if (gruu === undefined) return "ok";
  // A Route that is left leads to where the GRUU was already resolved or still will be.
  if (request.has("Route") && request.top("Route") !== undefined) return "ok";
  const found = await registrations.find(gruu.impu);
  if (found.kind === "unavailable") return found;
  if (found.kind === "notFound") return "gone";
  let latest: { contact: string; path: readonly string[]; refreshedAt: number } | undefined;
  for (const binding of liveBindings(found.registration, clock.now()))
    if (gruu.matches(binding) && (latest === undefined || binding.refreshedAt > latest.refreshedAt))
      latest = binding;
  if (latest === undefined) return "gone";
  request.requestUri = latest.contact;
  for (const one of latest.path) request.append("Route", one);
  return "ok";
}
