import type { Clock, RecordSink } from "@ims/runtime";

/** One event as the broker gets it. */
export interface KafkaMessage {
  readonly key: string;
  readonly value: string;
}

/** What the sink needs of a client of Kafka. */
export interface KafkaClient {
  /** Resolves when all replicas have them, in their order and each once; tries until then. Rejects when there is no use in trying. */
  send(messages: readonly KafkaMessage[]): Promise<void>;
  /** The last failure to reach a broker, for people. */
  readonly trouble: string | undefined;
  close(): Promise<void>;
}

export interface KafkaSinkOptions<T> {
  readonly clock: Clock;
  /** Rejects when it cannot be used now. */
  readonly connect: () => Promise<KafkaClient>;
  readonly messageOf: (record: T) => KafkaMessage;
  /** How long an acknowledgement may take before it is trouble, ms. Default 5,000. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 5_000;
const LATE = Symbol("late");

/**
 * Records to a topic of Kafka. What was handed to the client once stays with it until it is acknowledged, however long the brokers are away: offered again it
 * would be written twice. Meanwhile `write` says that it has not been taken, so that operators hear of it.
 */
export class KafkaSink<T> implements RecordSink<T> {
  readonly #options: KafkaSinkOptions<T>;
  #client: KafkaClient | undefined;
  /** The first `count` records of what is offered next are these. */
  #pending: { readonly count: number; readonly sent: Promise<void> } | undefined;

  constructor(options: KafkaSinkOptions<T>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#client ??= await this.#options.connect();
  }

  async write(records: readonly T[]): Promise<void> {
    for (let taken = 0; taken < records.length; ) {
      this.#pending ??= this.#send(records.slice(taken));
      const { count, sent } = this.#pending;
      await this.#acknowledged(sent);
      this.#pending = undefined;
      taken += count;
    }
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  #send(records: readonly T[]): { readonly count: number; readonly sent: Promise<void> } {
    if (this.#client === undefined) throw new Error("there is no client of Kafka");
    const sent = this.#client.send(records.map(this.#options.messageOf));
    sent.catch(() => undefined); // told where it is waited for
    return { count: records.length, sent };
  }

  async #acknowledged(sent: Promise<void>): Promise<void> {
    const { clock, patienceMs = PATIENCE_MS } = this.#options;
    let giveUp = (): void => undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      const timer = clock.setTimer(patienceMs, () => resolve(LATE));
      giveUp = () => timer.cancel();
    });
    try {
      if ((await Promise.race([sent, late])) !== LATE) return;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    } finally {
      giveUp();
    }
    const trouble = this.#client?.trouble;
    throw new Error(
      `Kafka has not acknowledged for ${patienceMs / 1000} s${trouble === undefined ? "" : `: ${trouble}`}`,
    );
  }
}
