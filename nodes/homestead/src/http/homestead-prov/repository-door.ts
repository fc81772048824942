import { canonicalImpu, isWildcarded, parseWildcardedImpu } from "@ims/ims";
import { impiKey } from "../../cx/identities.ts";
import { pushProfile } from "../../cx/push-profile.ts";
import { terminateRegistration } from "../../cx/registration-termination.ts";
import { type Eventually, type Found, UNAVAILABLE } from "../../hss/hss.ts";
import { impiOfSetId, partsOf, recordFrom } from "../../hss/stored.ts";
import type { Subscriber } from "../../hss/subscriber.ts";
import type { SubscriptionRecord, WriteResult } from "../../hss/subscriber-repository.ts";
import { homesteadProblems } from "../../problems.ts";
import { changedMeanwhile, conflict, HttpProblem, storeAway } from "../problem.ts";
import type { RouteModules } from "../subscriber-routes.ts";

/** Times that a change is made again when others change the same subscription meanwhile. */
const ROUNDS = 5;

/** As much as fits a row and a User-Data document that are read at once. */
const MAX_PRIVATE_IDENTITIES = 32;
const MAX_SETS = 32;
const MAX_PROFILES = 64;
const MAX_IDENTITIES = 256;

export type Find = () => Eventually<Found>;

/** What is to become of a subscription; undefined: it stays as it is. Throws HttpProblem for what may not be. */
export type PartsChange = (parts: SubscriptionRecord, before: Subscriber) => SubscriptionRecord | undefined;

/** The repository of subscribers, as it is seen through the paths of homestead-prov. */
export class RepositoryDoor {
  readonly #modules: RouteModules;

  constructor(modules: RouteModules) {
    this.#modules = modules;
  }

  /** A private identity, whether it is a part of a subscription or was put by. */
  async privateIdentity(impi: string): Promise<Subscriber | undefined> {
    const found = await this.part(impi);
    return found ?? this.parked(impi);
  }

  async part(impi: string): Promise<Subscriber | undefined> {
    return known(await this.#modules.subscribers.byPrivateIdentity(impiKey(impi)));
  }

  async parked(impi: string): Promise<Subscriber | undefined> {
    return known(await this.#modules.subscribers.parked(impiKey(impi)));
  }

  /** A set that somebody may register, on behalf of all who may. */
  async set(id: string): Promise<Subscriber | undefined> {
    const found = known(await this.#modules.subscribers.bySet(id));
    if (found !== undefined) return found;
    const implied = impiOfSetId(id);
    const only = implied === undefined ? undefined : await this.part(implied);
    return only?.part === undefined ? only : undefined;
  }

  /** Who has a public identity, or exactly that wildcarded one. */
  async publicIdentity(impu: string): Promise<Subscriber | undefined> {
    const wildcard = isWildcarded(impu) ? parseWildcardedImpu(impu) : undefined;
    const canonical = wildcard?.text ?? canonicalImpu(impu);
    if (canonical === undefined) return undefined;
    const found = known(await this.#modules.subscribers.byPublicIdentity(canonical));
    return found?.identities.some((one) => one.canonical === canonical) ? found : undefined;
  }

  /**
   * Changes a subscription, once more when others change it between. Undefined: it is not there. `end`: private identities and sets whose
   * registrations end by the change; they end first, so that nobody stays registered with what is gone.
   */
  async change(
    what: string,
    find: () => Promise<Subscriber | undefined>,
    change: PartsChange,
    end?: (before: Subscriber) => Iterable<readonly [impi: string, setId: string | undefined]>,
  ): Promise<Subscriber | undefined> {
    const { subscribers } = this.#modules;
    for (let round = 0; round < ROUNDS; round++) {
      const before = await find();
      if (before === undefined) return undefined;
      const parts = change(partsOf(before), before);
      if (parts === undefined) return before;
      bounded(parts);
      for (const [impi, setId] of end?.(before) ?? []) await this.deregister(impi, setId);
      const current = end === undefined ? before : await find();
      if (current === undefined) return undefined;
      const next = end === undefined ? parts : change(partsOf(current), current);
      if (next === undefined) return current;
      const result: WriteResult =
        next.privateIdentities.length === 0
          ? await subscribers.remove(current)
          : await subscribers.replace(current, recordFrom(current, next));
      if (result.kind === "overtaken" || result.kind === "notFound") continue;
      checkWritten(result);
      return before;
    }
    throw changedMeanwhile(what);
  }

  /** Tells the S-CSCF of changed profiles, where there is one. */
  async push(subscriber: Subscriber | undefined): Promise<void> {
    if (subscriber === undefined) return;
    const { node, servers, log } = this.#modules;
    const pushed = await pushProfile(subscriber, { node, servers });
    if (pushed.kind === "failed")
      log.warn(
        {
          impi: subscriber.impi,
          reason: pushed.reason,
          problemId: homesteadProblems.profileNotPushed.id,
        },
        "profile not pushed",
      );
  }

  async deregister(impi: string, setId: string | undefined): Promise<void> {
    const { subscribers: hss, node, servers, log } = this.#modules;
    const outcome = await terminateRegistration(impi, "PERMANENT_TERMINATION", { node, hss, servers }, setId);
    if (outcome.kind === "unavailable") throw storeAway();
    if (outcome.kind === "failed")
      log.warn(
        { impi, reason: outcome.reason, problemId: homesteadProblems.notDeregistered.id },
        "S-CSCF did not deregister",
      );
  }
}

function known(found: Found): Subscriber | undefined {
  if (found === UNAVAILABLE) throw storeAway();
  return found;
}

/** Throws HttpProblem for a write that was refused. */
export function checkWritten(result: WriteResult): void {
  if (result.kind === "conflict") throw conflict(result.identity, result.owner);
  if (result.kind === "unavailable") throw storeAway();
}

function bounded({ privateIdentities, sets }: SubscriptionRecord): void {
  const profiles = sets.flatMap((set) => set.profiles);
  const identities = profiles.flatMap((profile) => profile.identities);
  const beyond = (
    [
      [privateIdentities.length, MAX_PRIVATE_IDENTITIES, "private identities"],
      [sets.length, MAX_SETS, "implicit registration sets"],
      [profiles.length, MAX_PROFILES, "service profiles"],
      [identities.length, MAX_IDENTITIES, "public identities"],
    ] as const
  ).find(([count, max]) => count > max);
  if (beyond !== undefined)
    throw new HttpProblem(400, "Too much", `a subscription has ${beyond[1]} ${beyond[2]} at most`);
}
