import type { RequestContext } from "@ims/sip";
import { type Binding, liveBindings, type Registration } from "../store/registration.ts";
import { NONE_REMOVED } from "../store/removed-contact.ts";
import type { AuthenticatedUser } from "./authentication.ts";
import { applyContacts, type BindingChange } from "./binding-change.ts";
import { acceptRegistration } from "./register-response.ts";
import { changeRegistration } from "./registration-change.ts";
import { refuseForStore } from "./store-away.ts";

/**
 * The UE leaves, and the HSS does not say whether it has taken note (TS 24.229 §5.4.1.4): perhaps it has. So the contacts lapse now, whoever
 * is called has left, and the calendar tells the HSS until it answers. Else it might hold for gone who can be called here, and would
 * name no S-CSCF to the UE that tries again.
 */
export async function removeByLapse(
  context: RequestContext,
  user: AuthenticatedUser,
  before: Registration,
  change: BindingChange,
): Promise<void> {
  const { modules, request, now } = change;
  const { callId, cseqNumber: cseq } = request;
  let refusal = 0;
  let removed = NONE_REMOVED;
  const stored = await changeRegistration(
    modules,
    before.impu,
    "unregistered",
    (current, lately) => {
      if (current === undefined) return "keep";
      const outcome = applyContacts(current.bindings, lately, change);
      refusal = outcome.kind === "refused" ? outcome.status : 0;
      if (outcome.kind === "refused") return "keep";
      ({ lately: removed } = outcome);
      const stays = new Set(outcome.bindings);
      const lapsed = (one: Binding): Binding =>
        stays.has(one) || one.expiresAt <= now
          ? one
          : { ...one, expiresAt: now, refreshedAt: now, callId, cseq };
      return { ...current, bindings: current.bindings.map(lapsed) };
    },
    () => removed,
  );
  if (stored.kind === "unavailable") return refuseForStore(context, stored);
  if (refusal !== 0) return context.respond(refusal);
  modules.counters.registration("removed");
  const left = stored.kind === "stored" ? liveBindings(stored.registration, now) : [];
  acceptRegistration(context, modules, user, { ...before, bindings: left });
  // The listeners hear of it when it is ended.
  stored.tell();
}
