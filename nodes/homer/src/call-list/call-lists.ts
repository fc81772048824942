import type { CallFragment, CallFragmentsReport } from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import type { HomerCounters } from "../metrics.ts";
import type { Owners } from "../owners.ts";
import type { CallListRepository, StoredFragment } from "../store/call-list-repository.ts";
import { UNAVAILABLE, type Unavailable } from "../store/simservs-repository.ts";
import { callListDocument, fragmentElements } from "./call-list-document.ts";

export interface CallListsModules {
  readonly repository: CallListRepository;
  readonly owners: Owners;
  readonly counters: HomerCounters;
  /** Calls of one list. */
  readonly length: number;
  /** Told of public identities whose list has changed. */
  readonly changed: (impu: string) => void;
  /** [0, 1); default Math.random. */
  readonly random?: () => number;
}

/** Lists are cut after one in so many parts of their length has been added. */
const PARTS = 10;

/** Call lists: what is written of calls, and what it comes to. All identities of a subscriber share one list. */
export class CallLists {
  readonly #modules: CallListsModules;

  constructor(modules: CallListsModules) {
    this.#modules = modules;
  }

  /** All of it or, as far as anybody knows, nothing: it may be given again. */
  async add(fragments: readonly CallFragment[]): Promise<CallFragmentsReport | Unavailable> {
    const { repository, counters, changed } = this.#modules;
    const byOwner = await this.#byOwner(fragments);
    if (byOwner === UNAVAILABLE) {
      counters.fragments("failed", fragments.length);
      return UNAVAILABLE;
    }
    const written: CallFragment[] = [];
    for (const [canonical, given] of byOwner) {
      if ((await repository.add({ canonical, fragments: given.map(stored) })) === UNAVAILABLE) {
        counters.fragments("failed", fragments.length);
        return UNAVAILABLE;
      }
      written.push(...given);
      await this.#cut(canonical, given);
    }
    const unknown = fragments.length - written.length;
    if (written.length > 0) counters.fragments("written", written.length);
    if (unknown > 0) counters.fragments("unknown", unknown);
    for (const { impu } of written) changed(impu);
    return { written: written.length, unknown };
  }

  /** The document of one subscriber. */
  async read(canonical: string): Promise<string | Unavailable> {
    const { repository, length } = this.#modules;
    const found = await repository.find(canonical, most(length));
    return found === UNAVAILABLE ? UNAVAILABLE : callListDocument(found, length);
  }

  /** Without those that nobody owns. */
  async #byOwner(
    fragments: readonly CallFragment[],
  ): Promise<ReadonlyMap<string, CallFragment[]> | Unavailable> {
    const byOwner = new Map<string, CallFragment[]>();
    for (const fragment of fragments) {
      const canonical = canonicalImpu(fragment.impu);
      if (canonical === undefined) continue;
      const owner = await this.#modules.owners.of(canonical);
      if (owner.kind === "unavailable") return UNAVAILABLE;
      if (owner.kind === "unknown") continue;
      const known = byOwner.get(owner.canonical);
      if (known === undefined) byOwner.set(owner.canonical, [fragment]);
      else known.push(fragment);
    }
    return byOwner;
  }

  /** Drops the oldest calls of a list that is too long; now and then: what is shown never is too long. Best effort. */
  async #cut(canonical: string, added: readonly CallFragment[]): Promise<void> {
    const { repository, length, random = Math.random } = this.#modules;
    const calls = added.filter(({ kind }) => kind !== "end").length;
    if (random() * Math.ceil(length / PARTS) >= calls) return;
    const found = await repository.find(canonical, most(length));
    if (found === UNAVAILABLE) return;
    const starts = found.filter(({ kind }) => kind !== "end").map(({ startedAt }) => startedAt);
    const oldest = starts[length - 1];
    if (starts.length > length && oldest !== undefined) await repository.removeBefore(canonical, oldest);
  }
}

/** Fragments to read for so many calls: two of each, and some that go on or lost their beginning. */
function most(length: number): number {
  return 2 * length + Math.ceil(length / PARTS) + 10;
}

function stored(fragment: CallFragment): StoredFragment {
  const { call, startedAt, kind } = fragment;
  return { call, startedAt, kind, elements: fragmentElements(fragment) };
}
