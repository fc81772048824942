export { main } from "./main.ts";
export { tidewaterProblems } from "./problems.ts";
export {
  CASSANDRA_DATA_CENTER,
  CassandraCluster,
  type CassandraClusterOptions,
} from "./up/cassandra/cassandra-cluster.ts";
export { CassandraNode } from "./up/cassandra/cassandra-node.ts";
export { makeClassArchive } from "./up/cassandra/class-archive.ts";
export { nodetoolArguments } from "./up/cassandra/configuration.ts";
export { type CassandraInstallation, cassandraInstallation } from "./up/cassandra/installation.ts";
