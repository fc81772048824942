import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { freePorts } from "@ims/runtime/testing";
import { fastFolder } from "./cassandra.ts";

const LIB = join(import.meta.dirname, "../../.cache/kafka/lib");

/** Why Kafka cannot run here; undefined: it can. */
export function whyNoKafka(): string | undefined {
  try {
    if (readdirSync(LIB).some((jar) => /^kafka_2\.13-/.test(jar))) return undefined;
  } catch {
    // Not there.
  }
  return "Kafka is not installed: sh scripts/install-kafka";
}

/** One real Kafka, broker and controller (KRaft) in one process. */
export interface KafkaUnderTest {
  /** host:port */
  readonly broker: string;
  /** The same with TLS and SASL, where it was asked for. */
  readonly secureBroker: string;
  /** kill -9. Harmless when it is gone. */
  kill(): Promise<void>;
  /** The same broker with the same data again; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

/** Of a listener with TLS and SCRAM-SHA-512. */
export interface KafkaSecrets {
  /** PEM */
  readonly cert: string;
  readonly key: string;
  readonly user: string;
  readonly password: string;
}

/** Starts a Kafka on loopback: about 5 s. The caller ends it with `stop`. */
export async function launchKafka(secure?: KafkaSecrets): Promise<KafkaUnderTest> {
  const folder = mkdtempSync(join(fastFolder(), "kafka-"));
  const [port = 0, controller = 0, securePort = 0] = await freePorts(3);
  const file = join(folder, "server.properties");
  const output = join(folder, "output");
  const properties = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(folder, "data"),
    "num.partitions": "3",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "broker.session.timeout.ms": "3000",
  };
  if (secure !== undefined) {
    const pem = join(folder, "key-and-certificate.pem");
    writeFileSync(pem, `${secure.key}${secure.cert}`);
    const listener = `SECURE://127.0.0.1:${securePort}`;
    Object.assign(properties, {
      listeners: `${properties.listeners},${listener}`,
      "advertised.listeners": `${properties["advertised.listeners"]},${listener}`,
      "listener.security.protocol.map": `${properties["listener.security.protocol.map"]},SECURE:SASL_SSL`,
      "sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.secure.scram-sha-512.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": pem,
    });
  }
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  const java = (main: string, args: readonly string[]): string[] => [
    ...["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"],
    ...["-cp", join(LIB, "*"), main, ...args],
  ];
  const cluster = randomBytes(16).toString("base64url");
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      running.once("exit", () => resolve());
      running.kill("SIGKILL");
    });
  };
  const kafka: KafkaUnderTest = {
    broker: `127.0.0.1:${port}`,
    secureBroker: `127.0.0.1:${securePort}`,
    kill,
    async start() {
      const started = spawn("java", java("kafka.Kafka", [file]), { stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      const sink = createWriteStream(output, { flags: "a" });
      started.stdout.pipe(sink, { end: false });
      started.stderr.pipe(sink, { end: false });
      for (const end = Date.now() + 60_000; ; await pause(50)) {
        if (started.exitCode !== null || Date.now() > end)
          throw new Error(`Kafka does not run:\n${readFileSync(output, "utf8").slice(-2_000)}`);
        if (await answers(port)) return;
      }
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const users =
    secure === undefined
      ? []
      : ["--add-scram", `SCRAM-SHA-512=[name=${secure.user},password=${secure.password}]`];
  try {
    execFileSync("java", java("kafka.tools.StorageTool", ["format", "-t", cluster, "-c", file, ...users]), {
      stdio: "pipe",
    });
    await kafka.start();
  } catch (error) {
    await kafka.stop();
    throw error;
  }
  return kafka;
}

/** ApiVersions, version 0 (Kafka protocol guide): a broker answers it once it serves. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => end(false));
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
    socket.on("connect", () => socket.write(Buffer.from("0000000a00120000000000010000", "hex")));
    socket.on("data", () => end(true));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
