import type { SipMessage } from "@ims/sip";
import { type Binding, isEmergency } from "../store/registration.ts";
import { isRemoved, REMOVED_SECONDS, type RemovedContact, withRemoved } from "../store/removed-contact.ts";
import type { AuthenticatedUser } from "./authentication.ts";
import type { RequestedContact, RequestedContacts } from "./contacts.ts";
import type { ScscfModules } from "./modules.ts";

/** What a REGISTER asks for. */
export interface BindingChange {
  readonly request: SipMessage;
  readonly user: AuthenticatedUser;
  readonly path: readonly string[];
  readonly wanted: RequestedContacts;
  readonly now: number;
  readonly modules: ScscfModules;
}

/** What it comes to. */
export type Applied =
  | {
      readonly kind: "applied";
      readonly bindings: readonly Binding[];
      readonly removed: number;
      /** Every contact is there as this very request has registered it. */
      readonly repeated: boolean;
      /** Contacts removed lately, by this one too. */
      readonly lately: readonly RemovedContact[];
    }
  | { readonly kind: "refused"; readonly status: number };

/** Bindings after this REGISTER: RFC 3261 §10.3 step 7. Pure: it may run again after a contention. */
export function applyContacts(
  existing: readonly Binding[],
  removedBefore: readonly RemovedContact[],
  change: BindingChange,
): Applied {
  const { request, user, wanted, now, modules } = change;
  const { maxBindings } = modules.options;
  const { impi } = user;
  const callId = request.callId;
  const cseq = request.cseqNumber;
  let bindings = existing.filter((binding) => binding.expiresAt > now);
  const before = bindings.length;
  const mine = (binding: Binding): boolean => binding.impi === impi;
  // §5.4.8.3: "*" is for all but those of emergency registrations.
  const mineOfAll = (binding: Binding): boolean => mine(binding) && !isEmergency(binding);
  const late = (binding: Binding): boolean => binding.callId === callId && cseq <= binding.cseq;
  const gone: RemovedContact[] = [];
  const until = now + REMOVED_SECONDS * 1000;
  const forget = (key: string, known: Binding | undefined): void => {
    gone.push({ impi, key, callId, cseq, until });
    if (known !== undefined && known.callId !== callId)
      gone.push({ impi, key, callId: known.callId, cseq: known.cseq, until });
  };
  const applied = (removed: number, repeated: boolean): Applied => {
    const lately = withRemoved(removedBefore, now, gone);
    return { kind: "applied", bindings, removed, repeated, lately };
  };
  if (wanted.kind === "all") {
    if (bindings.some((binding) => mineOfAll(binding) && late(binding)))
      return { kind: "refused", status: 500 };
    for (const binding of bindings) if (mineOfAll(binding)) forget(binding.key, binding);
    bindings = bindings.filter((binding) => !mineOfAll(binding));
    return applied(before - bindings.length, false);
  }
  if (wanted.kind !== "contacts") return applied(0, false);
  let removed = 0;
  let repeated = 0;
  for (const contact of wanted.contacts) {
    const { key } = contact;
    const at = bindings.findIndex((binding) => mine(binding) && binding.key === key);
    const known = bindings[at];
    if (known !== undefined && repeats(contact, known, change)) {
      repeated++;
      continue;
    }
    if (known !== undefined && late(known)) return { kind: "refused", status: 500 };
    if (contact.expires === 0) {
      forget(key, known);
      if (known === undefined) continue;
      bindings = bindings.filter((_, index) => index !== at);
      removed++;
      continue;
    }
    // Held up on its way, until a later one had removed the contact.
    if (isRemoved(removedBefore, { impi, key, callId, cseq }, now)) return { kind: "refused", status: 500 };
    const binding = bindingFor(contact, known, change);
    if (known !== undefined) bindings = bindings.map((one, index) => (index === at ? binding : one));
    else if (isFull(bindings, contact, maxBindings)) return { kind: "refused", status: 403 };
    else bindings = [...bindings, binding];
  }
  return applied(removed, repeated === wanted.contacts.length);
}

/** Each kind has room of its own: nobody has too many phones for an emergency. */
function isFull(bindings: readonly Binding[], { emergency }: RequestedContact, max: number): boolean {
  if (bindings.length < max) return false;
  let count = 0;
  for (const binding of bindings) if (isEmergency(binding) === emergency) count++;
  return count >= max;
}

/** Whether a binding is what this very request has made of it. */
function repeats(contact: RequestedContact, known: Binding, { request, path }: BindingChange): boolean {
  return (
    contact.expires > 0 &&
    known.callId === request.callId &&
    known.cseq === request.cseqNumber &&
    known.contact === contact.contact &&
    known.parameters === contact.parameters &&
    known.path.length === path.length &&
    known.path.every((one, index) => one === path[index])
  );
}

function bindingFor(
  contact: RequestedContact,
  known: Binding | undefined,
  { request, user, path, now, modules }: BindingChange,
): Binding {
  const callId = request.callId;
  const gruu =
    contact.instance !== "" && request.values("Supported").some((tag) => tag.toLowerCase() === "gruu");
  return {
    contact: contact.contact,
    key: contact.key,
    impi: user.impi,
    callId,
    cseq: request.cseqNumber,
    expiresAt: now + Math.min(contact.expires, modules.options.maxExpires) * 1000,
    refreshedAt: now,
    q: contact.q,
    path,
    instance: contact.instance,
    regId: contact.regId,
    parameters: contact.parameters,
    gruu,
    // RFC 5627 §5.1: a REGISTER with another Call-ID ends the temporary GRUUs made before.
    gruuSince: known !== undefined && known.callId === callId ? known.gruuSince : now,
    gruuCseq: known !== undefined && known.callId === callId ? known.gruuCseq : request.cseqNumber,
    registered: user.impu,
  };
}
