import type { AuditEntry } from "@ims/api";
import { type Clock, clientName, type Logger, type Timer } from "@ims/runtime";
import { ellisProblems } from "../problems.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import type { AuditLog } from "./audit-log.ts";

/** What is alike in so long is one entry, and one more that says how often. */
const PERIOD_MS = 600_000;
/** What comes together is written together; no answer waits for it, so its time tells nothing. */
const WRITTEN_AFTER_MS = 1_000;
/** Kinds of a period that have entries of their own; all others share one. */
const MOST_KINDS = 16;
const MOST_NAMED = 5;

interface Kind {
  readonly key: string;
  latest: AuditEntry;
  /** Since its first one. */
  more: number;
}

export interface StrangersModules {
  readonly audit: Pick<AuditLog, "append">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What is refused to those who have not proven to be staff, in the audit log but within bounds: at most 33 entries in ten minutes, however many
 * ask from wherever, so that they fill nothing and take nothing from entries of staff.
 */
export class Strangers {
  readonly #modules: StrangersModules;
  #kinds = new Map<string, Kind>();
  /** Of no kind that has entries of its own, by what they asked for. */
  #others = new Map<string, number>();
  #latest: AuditEntry | undefined;
  readonly #named = new Set<string>();
  #first: AuditEntry[] = [];
  #soon: Timer | undefined;
  #period: Timer | undefined;
  #written: Promise<unknown> = Promise.resolve();

  constructor(modules: StrangersModules) {
    this.#modules = modules;
  }

  /** Never waits. */
  add(entry: AuditEntry): void {
    const { clock } = this.#modules;
    this.#period ??= clock.setTimer(PERIOD_MS, () => this.#sum());
    const { who, action, from } = entry;
    const key = `${action}\n${who}\n${clientName(from)}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.latest = entry;
      known.more++;
    } else if (this.#kinds.size < MOST_KINDS) {
      this.#kinds.set(key, { key, latest: entry, more: 0 });
      this.#first.push(entry);
      this.#soon ??= clock.setTimer(WRITTEN_AFTER_MS, () => this.#write());
    } else {
      this.#others.set(action, (this.#others.get(action) ?? 0) + 1);
      this.#latest = entry;
      if (who !== "" && this.#named.size < MOST_NAMED) this.#named.add(who);
    }
  }

  /** What is known is written before it is over. */
  async stop(): Promise<void> {
    this.#sum();
    await this.#written;
  }

  #write(): void {
    this.#soon?.cancel();
    this.#soon = undefined;
    const entries = this.#first;
    this.#first = [];
    for (const entry of entries) {
      const done = this.#append(entry);
      this.#written = Promise.all([this.#written, done]);
    }
  }

  /** The period is over. */
  #sum(): void {
    this.#period?.cancel();
    this.#period = undefined;
    const at = new Date(this.#modules.clock.now()).toISOString();
    for (const { latest, more } of this.#kinds.values())
      if (more > 0) this.#first.push({ ...latest, at, repeated: more });
    if (this.#latest !== undefined) this.#first.push(this.#otherEntry(this.#latest, at));
    this.#kinds = new Map();
    this.#others = new Map();
    this.#named.clear();
    this.#latest = undefined;
    this.#write();
  }

  #otherEntry({ outcome, status }: AuditEntry, at: string): AuditEntry {
    const counts = [...this.#others].map(([action, count]) => `${action} ${count}`);
    const names = this.#named.size === 0 ? [] : [`as ${[...this.#named].join(", ")}`];
    const repeated = [...this.#others.values()].reduce((sum, count) => sum + count, 0);
    return {
      ...{ at, who: "", action: "others", from: "", outcome, status, repeated },
      detail: [...counts, ...names].join("; ").slice(0, 500),
    };
  }

  async #append(entry: AuditEntry): Promise<void> {
    const { audit, log } = this.#modules;
    const problemId = ellisProblems.auditNotWritten.id;
    try {
      if ((await audit.append(entry)) === UNAVAILABLE)
        log.error({ entry, problemId }, "not in the audit log");
    } catch (err) {
      log.error({ entry, problemId, err }, "not in the audit log");
    }
  }
}
