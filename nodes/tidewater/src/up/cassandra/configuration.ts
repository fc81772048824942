/** What a small node needs to know; everything else is Cassandra's default. */
export interface NodeConfiguration {
  /** Its own address: gossip on `storagePort`, CQL on `cqlPort`. */
  readonly host: string;
  /** Addresses of all nodes, itself included. */
  readonly hosts: readonly string[];
  readonly folder: string;
  /** Data centre it is in, of several. Default: there is one. */
  readonly dataCenter?: string | undefined;
  readonly cqlPort: number;
  readonly storagePort: number;
  /** It comes into a ring that is there, or takes the place of a dead node: addresses in it, tokens drawn. Default: all start at once. */
  readonly ring?: { readonly seeds: readonly string[]; readonly replaces?: string };
  /** It speaks TLS alone with clients, whose certificates it asks for. Paths of PEM files. */
  readonly tls?: {
    readonly certificate: string;
    readonly key: string;
    readonly ca: string;
    /** Key and certificate in one file. */
    readonly keystore: string;
  };
  /** nodetool finds it there, on 127.0.0.1. Default: no JMX port is opened. */
  readonly jmxPort?: number;
}

/** cassandra.yaml of a node that starts in seconds and sees the death of another one soon. */
export function cassandraYaml(node: NodeConfiguration): string {
  const { host, hosts, folder, ring } = node;
  const index = hosts.indexOf(host);
  // Evenly spread over the ring of 2^64 tokens that starts at -2^63: no vnode is drawn, nothing is to be negotiated.
  const token = -(2n ** 63n) + (BigInt(index) * 2n ** 64n) / BigInt(hosts.length);
  return `${[
    "cluster_name: tidewater",
    ...(ring === undefined
      ? ["num_tokens: 1", `initial_token: ${token}`, "auto_bootstrap: false"]
      : ["num_tokens: 4", "auto_bootstrap: true"]),
    "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
    "authenticator: AllowAllAuthenticator",
    "authorizer: AllowAllAuthorizer",
    `endpoint_snitch: ${node.dataCenter === undefined ? "SimpleSnitch" : "GossipingPropertyFileSnitch"}`,
    ...["data", "commitlog", "saved_caches", "hints", "cdc_raw"].map((what) =>
      what === "data"
        ? `data_file_directories: ["${folder}/data"]`
        : `${what}_directory: "${folder}/${what}"`,
    ),
    "seed_provider:",
    "  - class_name: org.apache.cassandra.locator.SimpleSeedProvider",
    "    parameters:",
    `      - seeds: "${(ring?.seeds ?? hosts).map((seed) => `${seed}:${node.storagePort}`).join(",")}"`,
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
    ...(node.tls === undefined ? [] : encryption(node.tls)),
  ].join("\n")}\n`;
}

/** Clients over TLS alone; files are read again when they change: Cassandra looks every ten minutes. */
function encryption({ keystore, ca }: NonNullable<NodeConfiguration["tls"]>): string[] {
  return [
    "client_encryption_options:",
    "  enabled: true",
    "  optional: false",
    "  require_client_auth: true",
    "  ssl_context_factory:",
    "    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory",
    `  keystore: ${keystore}`,
    `  truststore: ${ca}`,
    "  accepted_protocols: [TLSv1.2, TLSv1.3]",
  ];
}

/** What GossipingPropertyFileSnitch asks for. */
export function rackProperties(dataCenter: string): string {
  return `dc=${dataCenter}\nrack=rack1\n`;
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

/** Arguments of the Java machine before the class name. `folder` holds cassandra.yaml and logback.xml. */
export function javaArguments(
  { folder, ring, jmxPort, dataCenter }: NodeConfiguration,
  heapMb: number,
): string[] {
  return [
    ...moduleArguments(),
    ...[`-Xms${heapMb}m`, `-Xmx${heapMb}m`, "-Xss256k", "-XX:+UseSerialGC", "-XX:-UsePerfData"],
    // The first compiler only: it is ready in 4 s instead of 7, on two cores that others need as well.
    ...["-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"],
    ...["-Djava.net.preferIPv4Stack=true", "-Djdk.attach.allowAttachSelf=true"],
    ...[`-Djava.io.tmpdir=${folder}/tmp`, `-Djna.tmpdir=${folder}/tmp`],
    `-Dcassandra.config=file://${folder}/cassandra.yaml`,
    `-Dlogback.configurationFile=file://${folder}/logback.xml`,
    ...[`-Dcassandra.storagedir=${folder}`, "-Dcassandra-foreground=yes"],
    ...["-Dcassandra.skip_wait_for_gossip_to_settle=0"],
    // Who comes in must have heard of the ring before it takes a part of it.
    `-Dcassandra.ring_delay_ms=${ring === undefined ? 500 : 4000}`,
    "-Dcassandra.consistent.rangemovement=false",
    // Roles, which are not asked for, wait for another node of a ring: without a delay that is a loop that takes a processor.
    `-Dcassandra.superuser_setup_delay_ms=${ring === undefined ? -1 : 1000}`,
    ...["-Dcassandra.fd_initial_value_ms=500"],
    ...(dataCenter === undefined
      ? []
      : [`-Dcassandra-rackdc.properties=file://${folder}/cassandra-rackdc.properties`]),
    ...(jmxPort === undefined ? [] : [`-Dcassandra.jmx.local.port=${jmxPort}`]),
    ...(ring?.replaces === undefined ? [] : [`-Dcassandra.replace_address_first_boot=${ring.replaces}`]),
  ];
}

function moduleArguments(): string[] {
  return [
    ...EXPORTS.flatMap((name) => ["--add-exports", `${name}=ALL-UNNAMED`]),
    ...OPENS.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
  ];
}

/** nodetool for a node with this folder and JMX port, without the scripts of a distribution. */
export function nodetoolArguments(folder: string, classPath: string, jmxPort: number): string[] {
  return [
    ...moduleArguments(),
    ...["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
    ...[`-Duser.home=${folder}`, `-Dlogback.configurationFile=file://${folder}/logback.xml`],
    ...["-cp", classPath, "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p", String(jmxPort)],
  ];
}
