import { readFileSync } from "node:fs";
import type { KafkaClient } from "./kafka-sink.ts";

export interface KafkaClientOptions {
  /** host:port */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  /** TLS towards the brokers; `caFile` "": the authorities of Node. */
  readonly tls?: { readonly caFile: string };
  readonly sasl?: {
    readonly mechanism: "SCRAM-SHA-512" | "SCRAM-SHA-256" | "PLAIN";
    readonly user: string;
    readonly passwordFile: string;
  };
}

const CONNECT_MS = 3_000;
const ANSWER_MS = 10_000;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** Opens a client with an idempotent producer: what it sends again after a lost connection is written once. Rejects for files that cannot be read. */
export async function kafkaClient(options: KafkaClientOptions): Promise<KafkaClient> {
  // Only who wants Kafka loads its client.
  const { Producer, ProduceAcks, stringSerializers } = await import("@platformatic/kafka");
  const { brokers, topic, clientId, tls, sasl } = options;
  let trouble: string | undefined;
  const producer = new Producer({
    clientId,
    bootstrapBrokers: [...brokers],
    serializers: stringSerializers,
    idempotent: true,
    acks: ProduceAcks.ALL,
    // Until it is acknowledged: with a new producer id, after giving up, it could be written twice.
    retries: Number.MAX_SAFE_INTEGER,
    retryDelay: (_client, _operation, attempt, _retries, error) => {
      trouble = reasonOf(error);
      return Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(attempt - 1, 10));
    },
    connectTimeout: CONNECT_MS,
    timeout: ANSWER_MS,
    autocreateTopics: true,
    ...(tls === undefined ? {} : { tls: tls.caFile === "" ? {} : { ca: readFileSync(tls.caFile) } }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.user,
            password: readFileSync(sasl.passwordFile, "utf8").trim(),
          },
        }),
  });
  return {
    async send(messages) {
      try {
        await producer.send({ messages: messages.map(({ key, value }) => ({ topic, key, value })) });
        trouble = undefined;
      } catch (error) {
        throw new Error(`Kafka: ${reasonOf(error)}`, { cause: error });
      }
    },
    get trouble() {
      return trouble;
    },
    close: () => producer.close(true),
  };
}

/** The innermost reason: what is around it counts tries. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors.at(-1));
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}
