import type { BindingSource, StoredBinding, StoredSet } from "./stored.ts";
import type { Told, ToldBinding } from "./told.ts";

/**
 * lost: the UE counts on it and it is not there. resurrected: the UE was told it is removed and it is there. differing: another
 * expiry, or an older REGISTER than the UE was answered. expired: still there although its time was over long ago.
 */
export type Finding = {
  readonly kind: "lost" | "resurrected" | "differing" | "expired" | "unreadable";
  readonly aor: string;
  readonly contact: string;
  readonly store: string;
  readonly problem: string;
};

export interface Audit {
  readonly identities: number;
  readonly bindings: number;
  /** Bindings not in the working copy, which gets them from the durable one when they are needed. */
  readonly notInWorkingCopy: number;
  readonly findings: readonly Finding[];
}

export interface AuditRules {
  readonly now: number;
  /** How long after its expiry a binding may still be there, and how far times may differ, ms. */
  readonly graceMs: number;
  readonly toleranceMs: number;
}

/** What is not there, and says nothing about anybody. */
class StoreAway extends Error {}

/**
 * Compares what UEs were told with what each store holds. @throws Error when a store does not answer: then nothing can be said.
 */
export async function compareBindings(
  told: Told,
  sources: readonly BindingSource[],
  rules: AuditRules,
): Promise<Audit> {
  const findings: Finding[] = [];
  let bindings = 0;
  let notInWorkingCopy = 0;
  const durable = sources.some(({ working }) => !working);
  const left = [...told];
  const lane = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [aor, contacts] = next;
      bindings += contacts.size;
      for (const source of sources) {
        const set = await read(source, aor);
        if (set.kind === "unreadable")
          findings.push({
            kind: "unreadable",
            aor,
            contact: "",
            store: source.name,
            problem: "no registration",
          });
        else if (set.kind === "nothing" && source.working && durable) notInWorkingCopy += contacts.size;
        else
          compareSet(
            aor,
            contacts,
            set.kind === "bindings" ? set.bindings : [],
            source.name,
            rules,
            findings,
          );
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  findings.sort((a, b) => (`${a.aor} ${a.contact} ${a.store}` < `${b.aor} ${b.contact} ${b.store}` ? -1 : 1));
  return { identities: told.size, bindings, notInWorkingCopy, findings };
}

async function read(source: BindingSource, aor: string): Promise<StoredSet> {
  const first = await source.read(aor);
  const set = first.kind === "alias" ? await source.read(first.of) : first;
  if (set.kind === "unavailable") throw new StoreAway(`${source.name} does not answer: ${set.cause}`);
  return set.kind === "alias" ? { kind: "none" } : set;
}

function compareSet(
  aor: string,
  contacts: ReadonlyMap<string, ToldBinding>,
  stored: readonly StoredBinding[],
  store: string,
  rules: AuditRules,
  findings: Finding[],
): void {
  const { now, graceMs, toleranceMs } = rules;
  for (const told of contacts.values()) {
    const { contact } = told;
    const found = stored.find((one) => one.contact === contact);
    const finding = (kind: Finding["kind"], problem: string): void =>
      void findings.push({ kind, aor, contact, store, problem });
    const removed = told.expiresAt <= told.at;
    if (found === undefined) {
      if (!removed && told.expiresAt > now + toleranceMs)
        finding("lost", `acknowledged until ${time(told.expiresAt)}`);
      continue;
    }
    if (found.expiresAt <= now) {
      if (found.expiresAt < now - graceMs) finding("expired", `expired at ${time(found.expiresAt)}`);
      continue;
    }
    if (removed) {
      // A REGISTER after the one that removed it, which the source does not have, may have brought it back.
      if (told.callId === undefined || found.callId !== told.callId || found.cseq <= (told.cseq ?? 0))
        finding("resurrected", `removed at ${time(told.at)}, stored until ${time(found.expiresAt)}`);
      continue;
    }
    if (told.callId === found.callId && told.cseq !== undefined && found.cseq > told.cseq) continue;
    if (told.callId === found.callId && told.cseq !== undefined && found.cseq < told.cseq)
      finding("differing", `CSeq ${found.cseq}, the UE was answered ${told.cseq}`);
    else if (Math.abs(found.expiresAt - told.expiresAt) > toleranceMs)
      finding(
        "differing",
        `stored until ${time(found.expiresAt)}, acknowledged until ${time(told.expiresAt)}`,
      );
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
