import { hash } from "node:crypto";
import {
  buildRegInfo,
  type ContactEvent,
  type Member,
  matchesWildcard,
  type RegInfoContact,
  type RegInfoRegistration,
} from "@ims/ims";
import { Parameters } from "@ims/sip";
import type { Gruus } from "../routing/gruu.ts";
import type { Registration } from "../store/registration.ts";
import type { Subscription } from "../store/subscription.ts";
import type { ContactChange, RegistrationChange } from "./registration-events.ts";

/** Parameters of Contact that have an attribute of their own. */
const WITH_ATTRIBUTE: ReadonlySet<string> = new Set(["q", "expires"]);

/** When a UE that was deregistered because an application server is away may try again. */
const PROBATION_SECONDS = 60;

/**
 * Body of a NOTIFY, in octets: all identities of the set that are not barred, with all their contacts (full state, TS 24.229 §5.4.2.1.2).
 * The document is the same for all subscribers but for its version and for GRUUs: temporary ones are their user's own (RFC 5628 §8).
 */
export function registrationDocument(
  registration: Registration,
  change: RegistrationChange,
  { version, kind }: Pick<Subscription, "version" | "kind">,
  { gruus, now }: { readonly gruus: Gruus; readonly now: number },
): string {
  const registrations: RegInfoRegistration[] = [];
  const ends =
    registration.state === "terminated" || change.contacts.every(({ state }) => state === "terminated");
  const contactsOf = (member: Member, removed: boolean): readonly RegInfoContact[] =>
    change.contacts.map((one) => contactOf(one, member, { removed, change, kind, gruus, now }));
  for (const member of registration.profile.members)
    if (!member.identity.barred)
      registrations.push({
        ...nameOf(member, registration),
        state: ends ? "terminated" : "active",
        contacts: contactsOf(member, false),
      });
  for (const member of change.removed)
    registrations.push({
      ...nameOf(member, registration),
      state: "terminated",
      contacts: contactsOf(member, true),
    });
  const text = buildRegInfo({ version, state: "full", registrations });
  return Buffer.from(text).toString("latin1");
}

interface Facts {
  /** The identity has left the set. */
  readonly removed: boolean;
  readonly change: RegistrationChange;
  readonly kind: Subscription["kind"];
  readonly gruus: Gruus;
  readonly now: number;
}

function contactOf(one: ContactChange, member: Member, facts: Facts): RegInfoContact {
  const { binding, state } = one;
  const active = state === "active" && !facts.removed;
  const left = Math.max(0, Math.round((binding.expiresAt - facts.now) / 1000));
  const hasGruu = active && member.wildcard === undefined;
  const gruu = hasGruu ? facts.gruus.of(member.canonical, binding) : undefined;
  return {
    id: idOf("c", `${member.canonical}\n${binding.impi}\n${binding.key}\n${binding.contact}`),
    state: active ? "active" : "terminated",
    event: eventFor(one, member, facts),
    uri: unicode(binding.contact),
    ...(active ? { expires: left } : {}),
    ...(one.event === "probation" ? { retryAfter: PROBATION_SECONDS } : {}),
    q: binding.q,
    callId: unicode(binding.callId),
    cseq: binding.cseq,
    unknownParameters: unknownParameters(binding.parameters),
    ...(gruu === undefined ? {} : { publicGruu: gruu.open }),
    ...(gruu === undefined || facts.kind === "edge"
      ? {}
      : { temporaryGruu: { uri: gruu.hidden(), firstCseq: binding.gruuCseq } }),
  };
}

/** Only the identity that the UE has named is "registered", others of the set are "created" with it (TS 24.229 §5.4.2.1.2). */
function eventFor({ event, state, binding }: ContactChange, member: Member, facts: Facts): ContactEvent {
  if (facts.removed && state === "active") return "rejected";
  const begins = facts.change.added.has(member.canonical) || event === undefined || event === "registered";
  if (state === "terminated" || !begins) return event ?? "expired";
  return binding.registered === member.canonical ? "registered" : "created";
}

function nameOf(
  member: Member,
  registration: Registration,
): Pick<RegInfoRegistration, "aor" | "id" | "wildcard"> {
  const id = idOf("r", member.canonical);
  if (member.wildcard === undefined) return { aor: member.identity.identity, id };
  return { aor: exampleOf(member, registration), id, wildcard: member.wildcard.text };
}

/** Any identity in the range of a wildcard stands for it: TS 24.229 §5.4.2.1.2, §7.10.2. */
function exampleOf({ wildcard }: Member, { profile }: Registration): string {
  if (wildcard === undefined) return "";
  for (const other of profile.members)
    if (other.wildcard === undefined && matchesWildcard(wildcard, other.canonical))
      return other.identity.identity;
  const { prefix, suffix } = wildcard;
  for (let length = 0; length <= 15; length++)
    for (const filler of ["0", "a"]) {
      const candidate = prefix + filler.repeat(length) + suffix;
      if (matchesWildcard(wildcard, candidate)) return candidate;
    }
  return prefix + suffix;
}

function unknownParameters(text: string): (readonly [string, string])[] {
  const parameters = Parameters.parse(text);
  if (parameters === undefined) return [];
  return parameters.names
    .filter((name) => !WITH_ATTRIBUTE.has(name))
    .map((name) => [unicode(name), unicode(parameters.raw(name) ?? "")] as const);
}

/** The same in every document (RFC 3680 §5.2). */
function idOf(kind: "r" | "c", name: string): string {
  return kind + hash("sha256", name, "base64url").slice(0, 10);
}

/** Octets of the wire as text; what is no UTF-8 is shown as such. */
function unicode(octets: string): string {
  return Buffer.from(octets, "latin1").toString();
}
