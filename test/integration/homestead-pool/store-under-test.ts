import { createSecretKey } from "node:crypto";
import { type Clock, systemClock } from "@ims/runtime";
import type { CassandraSession } from "@ims/store";
import { CassandraSimservs } from "../../../nodes/homer/src/store/cassandra-simservs.ts";
import { CassandraRepository } from "../../../nodes/homestead/src/hss/cassandra/cassandra-repository.ts";
import { Cql } from "../../../nodes/homestead/src/hss/cassandra/cql.ts";
import { sealingWith } from "../../../nodes/homestead/src/hss/sealing.ts";

const TABLES = ["subscriber", "subscriber_identity", "subscriber_wildcard", "subscriber_key", "simservs"];
const sealing = sealingWith(createSecretKey(Buffer.alloc(32, 1)));

export function repositoryOn(session: CassandraSession, clock: Clock = systemClock()): CassandraRepository {
  return new CassandraRepository(new Cql(session), { cacheSize: 100 }, { sealing, clock });
}

export function simservsOn(session: CassandraSession): CassandraSimservs {
  return new CassandraSimservs(session);
}

export async function emptied(session: CassandraSession): Promise<void> {
  for (const table of TABLES) {
    const result = await session.execute(
      { cql: `TRUNCATE keyspace.${table}`, idempotent: true, schema: true },
      [],
    );
    if (result.kind !== "rows") throw result.cause;
  }
}

/** Time that runs `times` as fast: what a homestead waits for others is over sooner. */
export function hurriedClock(times: number): Clock {
  const clock = systemClock();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * times,
    setTimer: (ms, fn) => clock.setTimer(ms / times, fn),
  };
}

/** A session that stops before its statement number `left` + 1: killed there for good, or going on at `resume`. */
export function stoppingSession(
  session: CassandraSession,
  left: number,
): CassandraSession & { readonly stopped: Promise<void>; resume(): void } {
  const stop = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  let count = left;
  const pass = async (): Promise<void> => {
    if (count-- > 0) return;
    stop.resolve();
    await going.promise;
  };
  return {
    keyspace: session.keyspace,
    get isAvailable() {
      return session.isAvailable;
    },
    counters: session.counters,
    execute: (...call) => pass().then(() => session.execute(...call)),
    batch: (...call) => pass().then(() => session.batch(...call)),
    shutdown: async () => undefined,
    stopped: stop.promise,
    resume: going.resolve,
  };
}

/** A session whose statements each wait at random, now and then longer than others are patient. */
export function tiredSession(
  session: CassandraSession,
  random: () => number,
  longMs: number,
): CassandraSession {
  const rest = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, random() < 0.25 ? random() * longMs : 0));
  return {
    keyspace: session.keyspace,
    get isAvailable() {
      return session.isAvailable;
    },
    counters: session.counters,
    execute: (...call) => rest().then(() => session.execute(...call)),
    batch: (...call) => rest().then(() => session.batch(...call)),
    shutdown: async () => undefined,
  };
}

/** Numbers that look random and are the same each time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
