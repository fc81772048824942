import { type CoreTls, type ServiceModules, watchFile } from "@ims/runtime";
import {
  followServersFile,
  type KvStore,
  type MemcachedCounters,
  measuredMemcached,
  memcachedStore,
  parseServers,
  readServersFile,
  storeProblems,
} from "@ims/store";
import type { SproutOptions } from "../options.ts";

interface Part {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What an operator may have to act on, of the counters of the store. */
const COUNTERS = [
  ["gets", "Reads"],
  ["puts", "Writes"],
  ["unavailable", "Operations that no replica could serve"],
  ["degraded", "Operations that worked with fewer replicas than there should be"],
  ["contention", "Writes that lost against another one"],
  ["repairs", "Copies brought up to date while reading"],
  ["conflicts", "Repairs that overrode a write: members have seen different servers"],
  ["rubbish", "Copies that were no entry of ours, or of a newer format"],
  ["timeouts", "Connections given up because a reply was overdue"],
  ["reconnects", "Connections made again"],
] as const satisfies readonly (readonly [keyof MemcachedCounters, string])[];

/** The store in memcached, on the servers of the option or of the file. Its parts are added to those to start and stop. Throws StoreError. */
export function openMemcached(
  options: SproutOptions,
  modules: ServiceModules & { readonly coreTls?: CoreTls | undefined },
  parts: Part[],
): KvStore {
  const { clock, log, pacer, health, register } = modules;
  const path = options.memcachedFile;
  const given = path === "" ? { servers: parseServers(options.memcached.join(",")) } : readServersFile(path);
  const tls = options.memcachedTls ? modules.coreTls : undefined;
  const store = memcachedStore({ ...given, clock, log, pacer, tls });
  parts.push(store);
  const away = (): string[] =>
    store
      .servers()
      .filter(({ up }) => !up)
      .map(({ id }) => id);
  health.addNote("memcached", () => (away().length > 0 ? `${away().join(", ")} away` : undefined));
  const { alarms } = health;
  const none = (): string | undefined =>
    away().length === store.servers().length ? "no memcached answers" : undefined;
  alarms.watch(storeProblems.memcachedServerAway, () =>
    away().map((object) => ({ object, text: "does not answer" })),
  );
  if (options.cassandra.length === 0) health.addCheck("memcached", none, storeProblems.memcachedAway);
  else
    alarms.watch(storeProblems.memcachedAway, () => {
      const text = none();
      return text === undefined ? undefined : { severity: "MAJOR", text: `${text}: Cassandra serves alone` };
    });
  register.gauge({
    name: "ims_sprout_memcached_away",
    help: "memcached servers that do not answer",
    value: () => away().length,
  });
  for (const [counter, help] of COUNTERS)
    register.gauge({
      name: `ims_sprout_memcached_${counter}_total`,
      help,
      type: "counter",
      value: () => store.counters[counter],
    });
  const measured = measuredMemcached(store, { register, clock, prefix: "ims_sprout" });
  if (path === "") return measured;

  const follower = followServersFile({ path, store, clock, log });
  parts.push(follower);
  watchFile(alarms, path, follower, storeProblems.serversFileRefused);
  const exchanging = (): boolean => !follower.synchronized;
  health.addNote("memcachedFile", () =>
    exchanging() ? "entries are brought over to other servers" : undefined,
  );
  register.gauge({
    name: "ims_sprout_memcached_exchange",
    help: "1 while entries are brought over to the next memcached servers",
    value: () => Number(exchanging()),
  });
  return measured;
}
