import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const LIB = join(import.meta.dirname, "../../../../../.cache/cassandra/lib");
const HINT = "run 'sh scripts/install-cassandra'";

export interface CassandraInstallation {
  readonly java: string;
  readonly classPath: string;
  /** Measures objects for the memory limits of Cassandra: it refuses to start without. */
  readonly agent: string;
}

/** The jars that scripts/install-cassandra fetched, and a Java that runs them. @throws Error that says what is missing. */
export function cassandraInstallation(lib: string = LIB): CassandraInstallation {
  const home = process.env["JAVA_HOME"];
  const java = home === undefined ? "java" : join(home, "bin/java");
  const jars = jarsOf(lib);
  const agent = jars.find((jar) => jar.startsWith("jamm-"));
  if (agent === undefined || !jars.some((jar) => jar.startsWith("cassandra-all-")))
    throw new Error(`Cassandra is not installed in ${lib}: ${HINT}`);
  const release = javaRelease(java);
  if (release !== 17) {
    const found = release === undefined ? "there is none" : `'${java}' is release ${release}`;
    throw new Error(`Cassandra needs Java 17, and ${found}: ${HINT}`);
  }
  return { java, classPath: join(lib, "*"), agent: join(lib, agent) };
}

function jarsOf(lib: string): string[] {
  try {
    return readdirSync(lib);
  } catch {
    return [];
  }
}

function javaRelease(java: string): number | undefined {
  try {
    const text = execFileSync(java, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const release = /(?:openjdk|java) (\d+)/.exec(text)?.[1];
    return release === undefined ? undefined : Number(release);
  } catch {
    return undefined;
  }
}
