import type { Clock, Logger, Service, Timer } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { etcdClusterProblems } from "../problems.ts";
import { type MemberRecord, memberKey, memberRecordSchema, readMember } from "./member-record.ts";

export interface RegistrationOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where this site's keys begin, without a slash at the end. */
  readonly root: string;
  readonly member: MemberRecord;
  /** A member that has not been heard of for so long is gone, seconds. Default 10. */
  readonly ttlSeconds?: number;
}

export type RegistrationState =
  | "starting"
  | "registered"
  /** Somebody else has the name; tried again until that one is gone. */
  | "taken"
  | "unavailable";

/**
 * Keeps a member in the registry, under a lease. What it says of itself may change. A process that starts again at the same
 * addresses takes its entry over at once; one with other addresses waits until the entry has lapsed.
 */
export class Registration implements Service {
  readonly #options: RegistrationOptions;
  readonly #ttlSeconds: number;
  readonly #key: string;
  #member: MemberRecord;
  #lease: string | undefined;
  /** What stands in etcd, as far as we know. */
  #written = "";
  #state: RegistrationState = "starting";
  #running = false;
  #turn: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#member = memberRecordSchema.parse(options.member);
    this.#key = memberKey(options.root, this.#member);
    this.#ttlSeconds = options.ttlSeconds ?? 10;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Of the entry, once registered: what else is bound to it goes with the member. */
  get lease(): string | undefined {
    return this.#state === "registered" ? this.#lease : undefined;
  }

  /** Resolves after the first try; etcd may be away. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#soon();
  }

  /** The member takes nothing new from now on. */
  async quiesce(): Promise<void> {
    await this.change({ state: "draining" });
  }

  /** Resolves when it was tried; what failed is tried again. */
  async change(part: Partial<Omit<MemberRecord, "pool" | "name">>): Promise<void> {
    this.#member = memberRecordSchema.parse({ ...this.#member, ...part });
    if (this.#running) await this.#soon();
  }

  /** Takes the member out of the registry. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#timer?.cancel();
    await this.#turn;
    const lease = this.#lease;
    this.#lease = undefined;
    this.#state = "starting";
    if (lease !== undefined) await this.#options.client.revokeLease(lease);
  }

  #soon(): Promise<void> {
    this.#timer?.cancel();
    this.#turn = this.#turn.then(() => this.#refresh());
    return this.#turn;
  }

  async #refresh(): Promise<void> {
    if (!this.#running) return;
    const { clock, log } = this.#options;
    const before = this.#state;
    try {
      this.#state = await this.#once();
    } catch (err) {
      log.error({ err, key: this.#key, problemId: runtimeProblems.defect.id }, "registering a member failed");
      this.#state = "unavailable";
    }
    if (this.#state !== before) this.#tell();
    if (!this.#running) return;
    const waitMs = this.#state === "registered" ? (this.#ttlSeconds * 1000) / 3 : 1000;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(waitMs, () => void this.#soon());
  }

  #tell(): void {
    const { log } = this.#options;
    const fields = { key: this.#key, state: this.#state };
    const { etcdAway, memberNameTaken } = etcdClusterProblems;
    const problemId = this.#state === "taken" ? memberNameTaken.id : etcdAway.id;
    if (this.#state === "registered") log.info(fields, "registration of a member");
    else log.warn({ ...fields, problemId }, "registration of a member");
  }

  async #once(): Promise<RegistrationState> {
    const { client } = this.#options;
    if (this.#lease !== undefined) {
      const alive = await client.keepAlive(this.#lease);
      if (alive.kind === "unavailable") return "unavailable";
      if (alive.kind === "gone") this.#lease = undefined;
    }
    if (this.#lease === undefined) {
      const granted = await client.grantLease(this.#ttlSeconds);
      if (granted.kind === "unavailable") return "unavailable";
      this.#lease = granted.lease;
      this.#written = "";
    }
    return this.#write(this.#lease);
  }

  async #write(lease: string): Promise<RegistrationState> {
    const { client, root } = this.#options;
    const value = JSON.stringify(this.#member);
    const found = await client.range({ key: this.#key });
    if (found.kind === "unavailable") return "unavailable";
    const [entry] = found.entries;
    if (entry?.lease === lease && entry.value === value && this.#written === value) return "registered";
    if (entry !== undefined && entry.lease !== lease) {
      const holder = readMember(root, this.#key, entry.value);
      const ours = holder !== undefined && sameAddresses(holder, this.#member);
      if (holder !== undefined && !ours) return "taken";
    }
    const result = await client.transact({
      when: [
        entry === undefined
          ? { key: this.#key, is: "absent" }
          : { key: this.#key, is: "at", revision: entry.revision },
      ],
      run: [{ do: "put", key: this.#key, value, lease }],
    });
    if (result.kind === "noLease") this.#lease = undefined;
    if (result.kind !== "done" || !result.held) return "unavailable";
    this.#written = value;
    return "registered";
  }
}

function sameAddresses(one: MemberRecord, other: MemberRecord): boolean {
  return [...one.addresses].sort().join() === [...other.addresses].sort().join();
}
