import { readdirSync } from "node:fs";
import { totalmem } from "node:os";
import type { CassandraStart } from "./cassandra-start.ts";
import { type Places, put } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";

/**
 * Cassandra of the first vellums, the seeds: the ring is spread over them evenly, so nothing has to be negotiated when they start
 * together. @throws MemberError when the jars are not whole
 */
export function writeCassandra(
  { address, seeds = [] }: Pick<Member, "address" | "seeds">,
  places: Places,
  start: CassandraStart,
): void {
  const agent = readdirSync(places.cassandraJars).find((jar) => /^jamm-.*\.jar$/.test(jar));
  if (agent === undefined)
    throw new MemberError(
      `${places.cassandraJars} has no jamm jar`,
      "build the image again with --cassandra",
    );
  put(`${places.run}/cassandra.yaml`, cassandraYaml(address, seeds, places.cassandraData, start));
  // A quarter of the memory, as Cassandra itself would take; half goes to memcached.
  const heap = Math.max(256, Math.floor(totalmem() / 2 ** 22));
  put(
    `${places.run}/cassandra.jvm`,
    [
      `-javaagent:${places.cassandraJars}/${agent}`,
      ...[`-Xms${heap}m`, `-Xmx${heap}m`, "-Xss256k"],
      // Passed over by a node that is whole: it may stand there when Cassandra is started again.
      ...(start === "replace" ? [`-Dcassandra.replace_address_first_boot=${address}`] : []),
      "",
    ].join("\n"),
  );
}

function cassandraYaml(
  address: string,
  seeds: readonly string[],
  data: string,
  start: CassandraStart,
): string {
  const token = -(2n ** 63n) + (BigInt(seeds.indexOf(address)) * 2n ** 64n) / BigInt(seeds.length);
  const contacts = start === "replace" ? seeds.filter((seed) => seed !== address) : seeds;
  const bracketed = (one: string): string => (one.includes(":") ? `[${one}]:7000` : `${one}:7000`);
  return `${JSON.stringify(
    {
      cluster_name: "tidewater",
      num_tokens: 1,
      // Who replaces has the token of the one before it, and takes what is lost from the others, which a seed does not.
      ...(start === "replace"
        ? { auto_bootstrap: true }
        : { initial_token: String(token), auto_bootstrap: false }),
      partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
      authenticator: "AllowAllAuthenticator",
      authorizer: "AllowAllAuthorizer",
      endpoint_snitch: "SimpleSnitch",
      data_file_directories: [`${data}/data`],
      commitlog_directory: `${data}/commitlog`,
      saved_caches_directory: `${data}/saved_caches`,
      hints_directory: `${data}/hints`,
      cdc_raw_directory: `${data}/cdc_raw`,
      seed_provider: [
        {
          class_name: "org.apache.cassandra.locator.SimpleSeedProvider",
          parameters: [{ seeds: contacts.map(bracketed).join(",") }],
        },
      ],
      listen_address: address,
      rpc_address: address,
      storage_port: 7000,
      native_transport_port: 9042,
      // Lifetimes beyond 2038.
      storage_compatibility_mode: "NONE",
      paxos_variant: "v2",
      phi_convict_threshold: 5,
      hints_flush_period: "1s",
      // Below the deadline of the nodes' sessions.
      read_request_timeout: "1500ms",
      write_request_timeout: "1500ms",
      cas_contention_timeout: "1500ms",
      // What is acknowledged is on disk: a host that dies takes nothing with it.
      commitlog_sync: "batch",
      auto_snapshot: false,
    },
    undefined,
    2,
  )}\n`;
}
