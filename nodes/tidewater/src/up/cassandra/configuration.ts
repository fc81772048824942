/** What a small node needs to know; everything else is Cassandra's default. */
export interface NodeConfiguration {
  /** Its own address: gossip on `storagePort`, CQL on `cqlPort`. */
  readonly host: string;
  /** Addresses of all nodes, itself included. */
  readonly hosts: readonly string[];
  readonly folder: string;
  readonly cqlPort: number;
  readonly storagePort: number;
}

/** cassandra.yaml of a node that starts in seconds and sees the death of another one soon. */
export function cassandraYaml(node: NodeConfiguration): string {
  const { host, hosts, folder } = node;
  const index = hosts.indexOf(host);
  // Evenly spread over the ring of 2^64 tokens that starts at -2^63: no vnode is drawn, nothing is to be negotiated.
  const token = -(2n ** 63n) + (BigInt(index) * 2n ** 64n) / BigInt(hosts.length);
  return `${[
    "cluster_name: tidewater",
    "num_tokens: 1",
    `initial_token: ${token}`,
    "auto_bootstrap: false",
    "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
    "authenticator: AllowAllAuthenticator",
    "authorizer: AllowAllAuthorizer",
    "endpoint_snitch: SimpleSnitch",
    ...["data", "commitlog", "saved_caches", "hints", "cdc_raw"].map((what) =>
      what === "data"
        ? `data_file_directories: ["${folder}/data"]`
        : `${what}_directory: "${folder}/${what}"`,
    ),
    "seed_provider:",
    "  - class_name: org.apache.cassandra.locator.SimpleSeedProvider",
    "    parameters:",
    `      - seeds: "${hosts.map((seed) => `${seed}:${node.storagePort}`).join(",")}"`,
    `listen_address: ${host}`,
    `rpc_address: ${host}`,
    `storage_port: ${node.storagePort}`,
    `native_transport_port: ${node.cqlPort}`,
    "storage_compatibility_mode: NONE", // lifetimes beyond 2038
    "paxos_variant: v2", // a condition costs two round trips between nodes instead of four
    "phi_convict_threshold: 5", // a silent node is down after about 10 s
    "hints_flush_period: 1s",
    // Below the deadline of our session: the node says what happened before the client gives up.
    "read_request_timeout: 1500ms",
    "write_request_timeout: 1500ms",
    "cas_contention_timeout: 1500ms",
    // Written through before it is acknowledged: with the default, a kill -9 of all nodes loses what was acknowledged just before.
    "commitlog_sync: batch",
    "commitlog_segment_size: 4MiB",
    "commitlog_total_space: 64MiB",
    "memtable_heap_space: 64MiB",
    "memtable_offheap_space: 64MiB",
    "file_cache_size: 32MiB",
    "networking_cache_size: 16MiB",
    "concurrent_reads: 16",
    "concurrent_writes: 16",
    "concurrent_compactors: 1",
    "auto_snapshot: false",
  ].join("\n")}\n`;
}

export const LOGBACK_XML = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} [%thread] %msg%n</pattern></encoder>
  </appender>
  <logger name="org.apache.cassandra.db.ColumnFamilyStore" level="WARN"/>
  <logger name="org.apache.cassandra.io.sstable" level="WARN"/>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`;

/** Packages of the JDK that Cassandra 5.0 reaches into on Java 17. */
const EXPORTS = [
  ...["java.base/java.lang.ref", "java.base/jdk.internal.misc", "java.base/jdk.internal.ref"],
  ...[
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
  ],
  ...["java.rmi/sun.rmi.server", "java.sql/java.sql", "jdk.unsupported/sun.misc"],
];
const OPENS = [
  ...[
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
  ],
  ...["java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent"],
  ...[
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
  ],
  ...["java.base/jdk.internal.module", "java.base/jdk.internal.ref", "java.base/jdk.internal.reflect"],
  ...[
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
  ],
];

/** Arguments of the Java machine before the class name. `folder` holds cassandra.yaml and logback.xml. No JMX port is opened. */
export function javaArguments(folder: string, heapMb: number): string[] {
  return [
    ...EXPORTS.flatMap((name) => ["--add-exports", `${name}=ALL-UNNAMED`]),
    ...OPENS.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
    ...[`-Xms${heapMb}m`, `-Xmx${heapMb}m`, "-Xss256k", "-XX:+UseSerialGC", "-XX:-UsePerfData"],
    // The first compiler only: it is ready in 4 s instead of 7, on two cores that others need as well.
    ...["-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"],
    ...["-Djava.net.preferIPv4Stack=true", "-Djdk.attach.allowAttachSelf=true"],
    ...[`-Djava.io.tmpdir=${folder}/tmp`, `-Djna.tmpdir=${folder}/tmp`],
    `-Dcassandra.config=file://${folder}/cassandra.yaml`,
    `-Dlogback.configurationFile=file://${folder}/logback.xml`,
    ...[`-Dcassandra.storagedir=${folder}`, "-Dcassandra-foreground=yes"],
    ...["-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=500"],
    ...["-Dcassandra.consistent.rangemovement=false", "-Dcassandra.superuser_setup_delay_ms=-1"],
    ...["-Dcassandra.fd_initial_value_ms=500"],
  ];
}
