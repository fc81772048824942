import assert from "node:assert/strict";
import { test } from "node:test";
import { writeChain } from "../../src/memcached/chain-write.ts";
import { type Entry, encodeEntry } from "../../src/memcached/entry.ts";
import type { ReadOutcome, Replica, Token, WriteOutcome } from "../../src/memcached/replica.ts";

const KEY = "aor/sip:a@example.com";

function entry(stamp: number, count: number, ancestors: readonly number[]): Entry {
  const value = Buffer.from(String(stamp));
  return {
    born: 1,
    count,
    stamp,
    ancestors: [...ancestors],
    tombstone: false,
    grace: 0,
    name: undefined,
    value,
  };
}

/** One server, on one connection; `before` does what others do just before the next write arrives. */
class OneReplica implements Replica {
  readonly id: string;
  readonly seed = 0;
  readonly up = true;
  readonly #connection = {};
  #item: Buffer;
  #cas = 1;
  before: ((self: OneReplica) => void) | undefined;

  constructor(id: string, item: Entry) {
    this.id = id;
    this.#item = encodeEntry(KEY, item);
  }

  get token(): Token {
    return { connection: this.#connection, cas: this.#cas };
  }

  get item(): Buffer {
    return this.#item;
  }

  set(item: Entry): void {
    this.#item = encodeEntry(KEY, item);
    this.#cas++;
  }

  async read(): Promise<ReadOutcome> {
    return { kind: "item", bytes: this.#item, seconds: 60, token: this.token };
  }

  async write(_key: string, bytes: Uint8Array, _seconds: number, token: Token): Promise<WriteOutcome> {
    if (token.cas !== this.#cas) return { kind: "refused" };
    const { before } = this;
    this.before = undefined;
    this.#item = Buffer.from(bytes);
    this.#cas++;
    const accepted = this.token;
    before?.(this);
    return { kind: "accepted", token: accepted };
  }
}

const first = entry(10, 0, []);
const ours = entry(20, 1, [10]);
const rival = entry(30, 1, [10]);

/** Ours is accepted at the head, a rival stands at the tail; `meanwhile` happens at the head. */
async function lostAtTail(meanwhile: ((head: OneReplica) => void) | undefined) {
  const [head, tail] = [new OneReplica("a", first), new OneReplica("b", first)];
  const targets = [head, tail].map((replica) => ({ replica, token: replica.token }));
  tail.set(rival);
  head.before = meanwhile;
  const result = await writeChain({
    key: KEY,
    entry: ours,
    bytes: encodeEntry(KEY, ours),
    seconds: 60,
    targets,
  });
  return { result, head };
}

test("a write that a rival beat at the tail is taken back from the head, and is lost", async () => {
  const { result, head } = await lostAtTail(undefined);
  assert.equal(result.kind, "lost");
  assert.deepEqual(head.item, encodeEntry(KEY, rival));
});

test("it is lost as well when somebody else has put the rival, or what came after it, at the head", async () => {
  for (const stands of [rival, entry(31, 2, [30, 10])])
    assert.equal((await lostAtTail((head) => head.set(stands))).result.kind, "lost");
});

test("whether it took effect is not known when somebody who saw the head alone has built on it", async () => {
  const built = entry(21, 2, [20, 10]);
  const { result, head } = await lostAtTail((one) => one.set(built));
  assert.equal(result.kind, "unavailable");
  assert.deepEqual(head.item, encodeEntry(KEY, built), "and stays");
});
