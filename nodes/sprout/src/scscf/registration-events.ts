import type { ContactEvent, Member } from "@ims/ims";
import { type Binding, ordinaryBindings, type Registration } from "../store/registration.ts";

/** A contact as a document tells of it. */
export interface ContactChange {
  readonly binding: Binding;
  readonly state: "active" | "terminated";
  /** Undefined: nothing has happened to it. */
  readonly event: ContactEvent | undefined;
}

/** What has happened between two states of a set: RFC 3680 §5.3.3 and the attribute event. */
export interface RegistrationChange {
  readonly contacts: readonly ContactChange[];
  /** Identities that are registered now and were not, and those that are no more; barred ones are neither (TS 24.229 §5.4.2.1.2). */
  readonly added: ReadonlySet<string>;
  readonly removed: readonly Member[];
}

/** `gone`: why contacts end that are there no more. */
export function registrationChange(
  before: Registration,
  after: Registration,
  gone: ContactEvent,
  now: number,
): RegistrationChange {
  const ends = after.state === "terminated";
  const contacts: ContactChange[] = [];
  // Nobody is notified of emergency registrations (TS 24.229 §5.4.8.7).
  const known = new Map(ordinaryBindings(before.bindings).map((one) => [nameOf(one), one]));
  for (const binding of ends ? [] : ordinaryBindings(after.bindings)) {
    const old = known.get(nameOf(binding));
    known.delete(nameOf(binding));
    const moved = old !== undefined && old.contact !== binding.contact;
    if (moved) contacts.push({ binding: old, state: "terminated", event: "unregistered" });
    contacts.push({ binding, state: "active", event: moved ? "registered" : eventOf(old, binding) });
  }
  for (const binding of known.values()) {
    const lapsed = gone === "unregistered" && binding.expiresAt <= now;
    contacts.push({ binding, state: "terminated", event: lapsed ? "expired" : gone });
  }
  const was = before.profile === after.profile ? undefined : shown(before);
  const is = was && shown(after);
  return {
    contacts,
    added:
      was === undefined || is === undefined ? NONE : new Set([...is.keys()].filter((key) => !was.has(key))),
    removed:
      was === undefined || is === undefined
        ? []
        : [...was].filter(([key]) => !is.has(key)).map(([, one]) => one),
  };
}

const NONE: ReadonlySet<string> = new Set();

/** What subscribers must hear of, and what they had better. */
export function importance({
  contacts,
  added,
  removed,
}: RegistrationChange): "nothing" | "refreshed" | "changed" {
  if (added.size > 0 || removed.length > 0) return "changed";
  let refreshed = false;
  for (const { event } of contacts)
    if (event === "refreshed") refreshed = true;
    else if (event !== undefined) return "changed";
  return refreshed ? "refreshed" : "nothing";
}

function eventOf(old: Binding | undefined, binding: Binding): ContactEvent | undefined {
  if (old === undefined) return "registered";
  if (binding.expiresAt < old.expiresAt) return "shortened";
  const same =
    binding.cseq === old.cseq && binding.callId === old.callId && binding.expiresAt === old.expiresAt;
  return same ? undefined : "refreshed";
}

function nameOf({ impi, key }: Binding): string {
  return `${impi}\n${key}`;
}

/** Identities that a document shows, by key. */
function shown({ profile }: Registration): Map<string, Member> {
  return new Map(
    profile.members.filter(({ identity }) => !identity.barred).map((member) => [member.canonical, member]),
  );
}
