import { withAssociation, withoutAssociation, withPrivateIdentity } from "../../hss/parts-change.ts";
import { parkedKey } from "../../hss/record-names.ts";
import { keyOf, partsOf, recordOfParts } from "../../hss/stored.ts";
import type { Subscriber } from "../../hss/subscriber.ts";
import { changedMeanwhile, HttpProblem } from "../problem.ts";
import { type DoorModules, noPrivateIdentity } from "./parked-identity.ts";
import { checkWritten } from "./repository-door.ts";
import { isSetId } from "./set-id.ts";

const ROUNDS = 5;

/** Lets a private identity register a set. Throws HttpProblem when one of them is not there or it cannot be. */
export async function associate(impi: string, setId: string, modules: DoorModules): Promise<void> {
  const { door } = modules;
  for (let round = 0; round < ROUNDS; round++) {
    const target = await door.set(setId);
    if (target === undefined && !isSetId(setId)) throw noSet(setId);
    const own = await door.part(impi);
    const parked = own === undefined ? await door.parked(impi) : undefined;
    if (own !== undefined) {
      if ((await associatePart(own, target, setId, modules)) === "done") return;
    } else if (parked !== undefined) {
      if ((await associateParked(parked, target, setId, modules)) === "done") return settle(parked, modules);
    } else if ((await door.part(impi)) === undefined) throw noPrivateIdentity(impi);
  }
  throw changedMeanwhile(impi);
}

/** One that is a part of a subscription already. */
async function associatePart(
  own: Subscriber,
  target: Subscriber | undefined,
  setId: string,
  modules: DoorModules,
): Promise<"done" | "again"> {
  const { door, subscribers } = modules;
  const { impi } = own;
  if (target === undefined || keyOf(target) === keyOf(own)) {
    const changed = await door.change(
      impi,
      () => door.part(impi),
      (parts) => withAssociation(parts, impi, setId),
    );
    return changed === undefined ? "again" : "done";
  }
  const { privateIdentities, sets } = partsOf(own);
  const [only] = privateIdentities;
  if (only === undefined || privateIdentities.length > 1 || sets.length > 0)
    throw new HttpProblem(
      409,
      "Another subscription",
      `${impi} has sets of another subscription than ${setId}: delete those, or take them from it, first`,
    );
  // It has nothing of its own there: put by, it can be a part of the other subscription.
  const record = recordOfParts(parkedKey(impi), { privateIdentities: [{ ...only, sqn: own.sqn }], sets: [] });
  const parked = await door.parked(impi);
  const written = await (parked === undefined
    ? subscribers.insert(record)
    : subscribers.replace(parked, record));
  if (written.kind !== "written") {
    if (written.kind === "unavailable") checkWritten(written);
    return "again";
  }
  const removed = await subscribers.remove(own);
  if (removed.kind === "unavailable") checkWritten(removed);
  return "again";
}

/** One that was put by: into the subscription of the set, or with a new set into one of its own. */
async function associateParked(
  parked: Subscriber,
  target: Subscriber | undefined,
  setId: string,
  modules: DoorModules,
): Promise<"done" | "again"> {
  const { door, subscribers } = modules;
  const { impi, credentials, sqn } = parked;
  const one = { impi, credentials, sets: [setId], sqn };
  if (target !== undefined) {
    const changed = await door.change(
      impi,
      () => door.set(setId),
      (parts) => withPrivateIdentity(parts, one),
    );
    return changed === undefined ? "again" : "done";
  }
  const parts = { privateIdentities: [one], sets: [{ id: setId, profiles: [] }] };
  const result = await subscribers.insert(recordOfParts(impi, parts));
  // Somebody else has given the set, or the private identity, away meanwhile.
  if (result.kind === "conflict" || result.kind === "overtaken") return "again";
  checkWritten(result);
  return "done";
}

/** What was put by is a part now: it goes, and what was written of it meanwhile is taken over. */
async function settle(used: Subscriber, { door, subscribers }: DoorModules): Promise<void> {
  const { impi } = used;
  let last: Subscriber | undefined = used;
  for (let round = 0; round < ROUNDS; round++) {
    const { kind } = await subscribers.remove(last);
    if (kind === "unavailable") checkWritten({ kind });
    if (kind !== "overtaken") return;
    last = await door.parked(impi);
    if (last === undefined) return;
    const { credentials } = last;
    await door.change(
      impi,
      () => door.part(impi),
      (parts) => {
        const own = parts.privateIdentities.find((one) => one.impi === impi);
        return own && withPrivateIdentity(parts, { ...own, credentials });
      },
    );
  }
  throw changedMeanwhile(impi);
}

/** The opposite. False when the private identity is not there. */
export async function dissociate(impi: string, setId: string, modules: DoorModules): Promise<boolean> {
  const { door } = modules;
  const changed = await door.change(
    impi,
    () => door.part(impi),
    (parts) => {
      const own = parts.privateIdentities.find((one) => one.impi === impi);
      if (own === undefined || !own.sets.includes(setId)) return undefined;
      const set = parts.sets.find(({ id }) => id === setId);
      const isLast = !parts.privateIdentities.some((one) => one !== own && one.sets.includes(setId));
      const holds = set?.profiles.some(({ identities }) => identities.length > 0) ?? false;
      if (isLast && holds)
        throw new HttpProblem(
          409,
          "Nobody left",
          `${impi} is the only one that may register ${setId}, which has public identities: delete the set instead`,
        );
      return withoutAssociation(parts, impi, setId);
    },
    () => [[impi, setId]],
  );
  return changed !== undefined || (await door.parked(impi)) !== undefined;
}

export function noSet(setId: string): HttpProblem {
  return new HttpProblem(404, "Unknown set", `there is no implicit registration set ${setId.slice(0, 255)}`);
}
