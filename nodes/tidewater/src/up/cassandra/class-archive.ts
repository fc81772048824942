import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { CassandraNode } from "./cassandra-node.ts";
import { archivingArguments, type CassandraInstallation } from "./installation.ts";

const HOST = "127.0.0.1";
const HEAP_MB = 256;
/** Loading what is there takes 4 s of a processor, writing it some 10. */
const WITHIN_MS = 180_000;

/**
 * Starts a node once and keeps the classes it has loaded (class data sharing of Java) in `installation.classes`. The archive appears whole or not at
 * all; Java passes over one that does not fit its jars. Says false when it was there. @throws Error when the node does not start or leaves none.
 */
export async function makeClassArchive(installation: CassandraInstallation): Promise<boolean> {
  const { classes } = installation;
  if (existsSync(classes)) return false;
  mkdirSync(dirname(classes), { recursive: true });
  const folder = mkdtempSync(join(dirname(classes), "making-"));
  try {
    const made = join(folder, "classes.jsa");
    const [cqlPort, storagePort] = await Promise.all([freePort(), freePort()]);
    const node = new CassandraNode(
      { ...installation, classArguments: archivingArguments(made) },
      { ...{ host: HOST, hosts: [HOST], folder, cqlPort, storagePort } },
      HEAP_MB,
    );
    try {
      node.start();
      await node.waitUntilReady(WITHIN_MS);
    } finally {
      await node.stop(WITHIN_MS);
    }
    if (!existsSync(made))
      throw new Error(`Java left no archive of classes: ${node.log().trim().slice(-500)}`);
    renameSync(made, classes);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
