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
/** A broker that hangs must not keep the node from ending. */
const CLOSE_MS = 1_000;

/**
 * Records to a topic of Kafka. What was handed to the client once stays with it until it is acknowledged, however long the brokers are away: offered again it
 * would be written twice. Meanwhile `write` says that it has not been taken, so that operators hear of it.
 */
export class KafkaSink<T> implements RecordSink<T> {
  readonly #options: KafkaSinkOptions<T>;
  #client: KafkaClient | undefined;
  /** So many at the beginning of what is offered next are acknowledged already. */
  #taken = 0;
  /** And so many after those are with the client. */
  #pending: { readonly count: number; readonly sent: Promise<void> } | undefined;

  constructor(options: KafkaSinkOptions<T>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#client ??= await this.#options.connect();
  }

  async write(records: readonly T[]): Promise<void> {
    while (this.#taken < records.length) {
      this.#pending ??= this.#send(records.slice(this.#taken));
      const { count, sent } = this.#pending;
      await this.#acknowledged(sent);
      this.#pending = undefined;
      this.#taken += count;
    }
    this.#taken = 0;
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await this.#within(CLOSE_MS, client.close());
  }

  /** False: it took longer. */
  async #within(ms: number, work: Promise<void>): Promise<boolean> {
    let giveUp = (): void => undefined;
    const late = new Promise<false>((resolve) => {
      const timer = this.#options.clock.setTimer(ms, () => resolve(false));
      giveUp = () => timer.cancel();
    });
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      giveUp();
    }
  }

  #send(records: readonly T[]): { readonly count: number; readonly sent: Promise<void> } {
    if (this.#client === undefined) throw new Error("there is no client of Kafka");
    const sent = this.#client.send(records.map(this.#options.messageOf));
    sent.catch(() => undefined); // told where it is waited for
    return { count: records.length, sent };
  }

  async #acknowledged(sent: Promise<void>): Promise<void> {
    const { patienceMs = PATIENCE_MS } = this.#options;
    try {
      if (await this.#within(patienceMs, sent)) return;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    }
    const trouble = this.#client?.trouble;
    throw new Error(
      `Kafka has not acknowledged for ${patienceMs / 1000} s${trouble === undefined ? "" : `: ${trouble}`}`,
    );
  }
}
