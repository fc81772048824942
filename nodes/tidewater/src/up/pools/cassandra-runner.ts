import type { CassandraNode } from "../cassandra/cassandra-node.ts";
import type { Runner } from "./member.ts";

const LOOK_EVERY_MS = 200;
/** A cluster that starts on a busy machine. */
const READY_WITHIN_MS = 180_000;

/** A node of a Cassandra cluster of ours. */
export function cassandraRunner(node: CassandraNode): Runner {
  let watch: NodeJS.Timeout | undefined;
  return {
    async start(onExit) {
      node.start();
      try {
        await node.waitUntilReady(READY_WITHIN_MS);
      } catch (error) {
        await node.kill();
        throw error;
      }
      watch = setInterval(() => {
        if (node.isRunning) return;
        clearInterval(watch);
        onExit("the process is gone");
      }, LOOK_EVERY_MS);
      return { pid: node.pid ?? 0, ports: { cql: node.cqlPort } };
    },
    async stop() {
      clearInterval(watch);
      await node.stop();
    },
  };
}
