// Starts a node in the folder given, says its process id, and waits to be killed.
import { CassandraCluster } from "@ims/tidewater";

const cluster = new CassandraCluster({ hosts: ["127.129.1.1"], folder: process.argv[2] ?? "" });
cluster.nodes[0]?.start();
console.log(cluster.nodes[0]?.pid);
setInterval(() => undefined, 1000);
