import type { Clock } from "@ims/runtime";
import {
  type Copies,
  type Current,
  type LookResult,
  NEWER,
  NOT_FOUND,
  type RegistrationStoreCounters,
  type StoreProblems,
  UNAVAILABLE,
  UNREADABLE,
} from "./copies.ts";
import { nextExpiry, type Registration } from "./registration.ts";
import { NO_META, type WriteMeta } from "./registration-codec.ts";
import { GRACE_SECONDS, lifetimeOf, linksOf, renewedFor } from "./set-lifetime.ts";
import { NONE_SECONDS, type WorkingCopy, type WorkingWrite } from "./working-copy.ts";

export interface SingleCopyModules {
  readonly working: WorkingCopy;
  readonly clock: Clock;
  readonly onWrite: ((impu: string, at: number) => void) | undefined;
  readonly counters: RegistrationStoreCounters | undefined;
}

/** The working copy is all there is. */
export class SingleCopy implements Copies {
  readonly durable = false;
  readonly waiting = 0;
  readonly #modules: SingleCopyModules;
  #away = false;

  constructor(modules: SingleCopyModules) {
    this.#modules = modules;
  }

  get problems(): StoreProblems {
    return { working: this.#away, durable: undefined, otherSite: false };
  }

  async look(key: string): Promise<LookResult> {
    const read = await this.#modules.working.read(key);
    this.#away = read.kind === "unavailable";
    switch (read.kind) {
      case "found":
      case "alias":
        return read;
      case "none":
        return read.meta.removed === undefined ? NOT_FOUND : { kind: "notFound", meta: read.meta };
      case "notFound":
        return NOT_FOUND;
      case "newer":
      case "unreadable":
        this.#modules.counters?.bad(read.kind);
        return read.kind === "newer" ? NEWER : UNREADABLE;
      case "unavailable":
        return UNAVAILABLE;
    }
  }

  async current(key: string): Promise<Current> {
    const read = await this.#modules.working.read(key);
    switch (read.kind) {
      case "found":
        return {
          kind: "known",
          registration: read.registration,
          meta: metaOf(read.meta),
          version: read.version,
        };
      case "none":
        return { kind: "known", registration: undefined, meta: metaOf(read.meta), version: read.version };
      case "alias":
        return { kind: "known", registration: undefined, meta: NO_META, version: read.version };
      case "notFound":
        return { kind: "known", registration: undefined, meta: NO_META, version: "absent" };
      case "newer":
      case "unreadable":
        this.#modules.counters?.bad(read.kind);
        return read.kind === "newer" ? NEWER : UNREADABLE;
      case "unavailable":
        return UNAVAILABLE;
    }
  }

  async write(
    key: string,
    wanted: Registration | "remove",
    { version, meta }: Current & { kind: "known" },
  ): Promise<WorkingWrite> {
    if (version === "direct") return "unavailable";
    const { working, clock, onWrite } = this.#modules;
    if (wanted === "remove") {
      if (version === "absent") return "stored";
      if (meta.removed === undefined) return working.remove(key, version);
      return working.putNone(key, meta, { ifVersion: version, ttlSeconds: NONE_SECONDS });
    }
    const now = clock.now();
    const links = linksOf(key, wanted);
    const renewed = links.aliases.length + links.impis.size > 0 ? renewedFor(wanted, now) : undefined;
    const ttlSeconds = lifetimeOf(wanted, now);
    const result = await working.put(key, renewed ?? wanted, meta, { ifVersion: version, ttlSeconds });
    if (result !== "stored") return result;
    if (renewed !== undefined) {
      const linkTtl = Math.ceil((renewed.aliasesUntil - now) / 1000) + GRACE_SECONDS;
      await working.link(key, links, linkTtl);
    }
    const next = nextExpiry(wanted);
    if (next !== undefined) onWrite?.(key, next);
    return "stored";
  }

  async setsOf(impi: string): Promise<readonly string[]> {
    return (await this.#modules.working.setsOf(impi)).sets;
  }

  confirm(): Promise<"stored"> {
    return Promise.resolve("stored");
  }

  /** Nobody tells of it: sites have a durable copy. */
  moved(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {}
}

/** Where there is no durable copy nothing of one is kept. */
function metaOf({ removed }: WriteMeta): WriteMeta {
  return removed === undefined ? NO_META : { ...NO_META, removed };
}
