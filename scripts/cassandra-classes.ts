import { cassandraInstallation, makeClassArchive } from "@ims/tidewater";

// Cassandra runs without it as well: what goes wrong here is told, and is no failure.
try {
  const made = await makeClassArchive(cassandraInstallation());
  if (made)
    process.stdout.write(
      "install-cassandra: its classes are kept: a node starts in two thirds of the time\n",
    );
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`install-cassandra: its classes cannot be kept, nodes start more slowly: ${reason}\n`);
}
