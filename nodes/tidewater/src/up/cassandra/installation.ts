import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const LIB = join(import.meta.dirname, "../../../../../.cache/cassandra/lib");
const CLASSES = join(import.meta.dirname, "../../../../../.cache/cassandra-classes");
const HINT = "run 'sh scripts/install-cassandra'";

export interface CassandraInstallation {
  readonly java: string;
  readonly classPath: string;
  /** Measures objects for the memory limits of Cassandra: it refuses to start without. */
  readonly agent: string;
  /** Classes of this Cassandra as this Java has loaded them once: a node starts with two thirds of the processor time. It need not be there. */
  readonly classes: string;
  /** Arguments of Java to use them. */
  readonly classArguments: readonly string[];
}

/** The archive holds for a Java with the agent too only if it is told so. */
const WITH_AGENT = ["-XX:+UnlockDiagnosticVMOptions", "-XX:+AllowArchivingWithJavaAgent", "-Xlog:cds=off"];

/** Arguments of a Java that writes the archive when it ends. */
export function archivingArguments(archive: string): string[] {
  return [...WITH_AGENT, `-XX:ArchiveClassesAtExit=${archive}`];
}

/** The jars that scripts/install-cassandra fetched, and a Java that runs them. @throws Error that says what is missing. */
export function cassandraInstallation(lib: string = LIB): CassandraInstallation {
  const home = process.env["JAVA_HOME"];
  const java = home === undefined ? "java" : join(home, "bin/java");
  const jars = jarsOf(lib);
  const agent = jars.find((jar) => jar.startsWith("jamm-"));
  const cassandra = jars.find((jar) => jar.startsWith("cassandra-all-"));
  if (agent === undefined || cassandra === undefined)
    throw new Error(`Cassandra is not installed in ${lib}: ${HINT}`);
  const version = javaVersion(java);
  const release = version?.split(".")[0];
  if (version === undefined || release !== "17") {
    const found = release === undefined ? "there is none" : `'${java}' is release ${release}`;
    throw new Error(`Cassandra needs Java 17, and ${found}: ${HINT}`);
  }
  // It holds for this Java and these jars at this place.
  const place = createHash("sha256").update(lib).digest("hex").slice(0, 8);
  const classes = join(CLASSES, `${cassandra}-${version}-${place}.jsa`);
  return {
    ...{ java, classPath: join(lib, "*"), agent: join(lib, agent), classes },
    classArguments: existsSync(classes) ? [...WITH_AGENT, `-XX:SharedArchiveFile=${classes}`] : [],
  };
}

function jarsOf(lib: string): string[] {
  try {
    return readdirSync(lib);
  } catch {
    return [];
  }
}

/** Such as 17.0.13. */
function javaVersion(java: string): string | undefined {
  try {
    const text = execFileSync(java, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /(?:openjdk|java) (\d[\w.+-]*)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}
