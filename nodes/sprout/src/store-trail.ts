import type { ServiceModules } from "@ims/runtime";
import { type KvStore, type StoreTrouble, watchedStore } from "@ims/store";
import type { Stores } from "./stores.ts";

/** A working copy answers within a millisecond or two; what takes longer is felt by who waits for a call. */
const SLOW_MS = 50;

/** The same stores; what fails or is slow is told to the trail, with whom it concerned. */
export function withTrail(stores: Stores, { trail, clock }: Pick<ServiceModules, "trail" | "clock">): Stores {
  if (trail === undefined) return stores;
  const onTrouble = ({ operation, table, key, outcome, ms }: StoreTrouble): void =>
    trail.note({
      kind: "store",
      callId: "",
      what: operation,
      // The key of a challenge goes on with its nonce.
      identities: [key.split(/[\s|]/, 1)[0] ?? ""],
      fields: { table, outcome, ms: Math.round(ms) },
    });
  const watched = (store: KvStore): KvStore => watchedStore(store, { clock, slowMs: SLOW_MS, onTrouble });
  const { store, challenges } = stores;
  return {
    ...stores,
    store: watched(store),
    ...(challenges === undefined ? {} : { challenges: watched(challenges) }),
  };
}
