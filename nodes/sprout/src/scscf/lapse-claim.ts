import type { KvStore } from "@ims/store";

const TABLE = "lapse";
/** Longer than the HSS is waited for. */
const TTL_SECONDS = 60;

/** Who is ending what has lapsed of a set: one member at a time, so that the HSS is told once. */
export class LapseClaims {
  readonly #store: KvStore;
  readonly #member: Buffer;

  constructor({ store, member }: { readonly store: KvStore; readonly member: string }) {
    this.#store = store;
    this.#member = Buffer.from(member);
  }

  /** False when somebody else is at it. A store that is away keeps nobody from it: one member holds the shard of the calendar. */
  async take(impu: string): Promise<boolean> {
    const put = await this.#store.put(TABLE, impu, this.#member, {
      ifVersion: "absent",
      ttlSeconds: TTL_SECONDS,
    });
    return put.kind !== "contention";
  }

  async release(impu: string): Promise<void> {
    const found = await this.#store.get(TABLE, impu);
    if (found.kind === "found" && this.#member.equals(found.value))
      await this.#store.delete(TABLE, impu, { ifVersion: found.version });
  }
}
