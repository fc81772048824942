import type { TestContext } from "node:test";
import { DiameterNode } from "@ims/diameter";
import { AccountingRecordTypeValue, Acr, rf } from "@ims/diameter/rf";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";

export type AcrAvps = Parameters<Parameters<typeof handlerOf>[0]>[0]["avps"];
function handlerOf(handler: Parameters<typeof DiameterNode.prototype.handle<typeof Acr>>[1]): typeof handler {
  return handler;
}

/** One accounting request as it came. */
export interface ReceivedAcr {
  readonly sessionId: string;
  readonly type: "EVENT" | "START" | "INTERIM" | "STOP";
  readonly number: number;
  /** The T bit: it may have come before. */
  readonly again: boolean;
  readonly avps: AcrAvps;
}

/** How it answers; "hang": not at all, while the connection lives. A function decides for each request. */
export type CdfMood = number | "hang" | ((acr: ReceivedAcr) => number | "hang");

/** A charging data function: keeps each record once, as RFC 6733 §9.4 says, and notes what came twice without the T bit. */
export class Cdf {
  readonly originHost: string;
  mood: CdfMood = 2001;
  /** Acct-Interim-Interval of its answers. */
  interimSeconds: number | undefined;
  /** Everything that came, kept or not. */
  readonly received: ReceivedAcr[] = [];
  /** By Session-Id and number: kept, with a success for an answer. */
  readonly records = new Map<string, ReceivedAcr>();
  /** Records that were kept already and came again without the T bit. */
  readonly unmarked: string[] = [];
  repeated = 0;
  /** Keep `received` small in a long run. */
  keepAll = true;
  #node: DiameterNode | undefined;
  #port = 0;

  constructor(originHost = "cdf.example.com") {
    this.originHost = originHost;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    const node = new DiameterNode({
      originHost: this.originHost,
      originRealm: "example.com",
      productName: "test CDF",
      applications: [rf],
      clock: systemClock(),
      log: memoryLogger("silent"),
      timing: { disconnectTimeoutMs: 50 },
    });
    node.handle(
      Acr,
      handlerOf(({ avps, retransmitted }) => this.#acr(avps, retransmitted)),
    );
    this.#port = await node.listen({ host: "127.0.0.1", port: this.#port });
    this.#node = node;
  }

  /** Gone, with its connections. */
  async down(): Promise<void> {
    await this.#node?.stop();
    this.#node = undefined;
  }

  addPeer(options: Parameters<DiameterNode["addPeer"]>[0]): void {
    this.#node?.addPeer(options);
    this.#node?.start();
  }

  of(type: ReceivedAcr["type"]): ReceivedAcr[] {
    return [...this.records.values()].filter((record) => record.type === type);
  }

  #acr(avps: AcrAvps, again: boolean) {
    const { sessionId, accountingRecordType, accountingRecordNumber } = avps;
    const type = typeNames.get(accountingRecordType) ?? "EVENT";
    const acr = { sessionId, type, number: accountingRecordNumber, again, avps };
    if (this.keepAll) this.received.push(acr);
    const answer = typeof this.mood === "function" ? this.mood(acr) : this.mood;
    if (answer === "hang") return new Promise<never>(() => undefined);
    if (answer < 3000) {
      const key = `${sessionId}#${accountingRecordNumber}`;
      if (this.records.has(key)) {
        this.repeated++;
        if (!again) this.unmarked.push(key);
      } else this.records.set(key, acr);
    }
    const { interimSeconds } = this;
    return {
      resultCode: answer,
      accountingRecordType,
      accountingRecordNumber,
      acctApplicationId: 3,
      ...(interimSeconds === undefined ? {} : { acctInterimInterval: interimSeconds }),
    };
  }
}

const typeNames = new Map<number, ReceivedAcr["type"]>([
  [AccountingRecordTypeValue.EVENT_RECORD, "EVENT"],
  [AccountingRecordTypeValue.START_RECORD, "START"],
  [AccountingRecordTypeValue.INTERIM_RECORD, "INTERIM"],
  [AccountingRecordTypeValue.STOP_RECORD, "STOP"],
]);

/** A CDF that is there until the test ends. */
export async function startCdf(t: TestContext, originHost?: string): Promise<Cdf> {
  const cdf = new Cdf(originHost);
  await cdf.up();
  t.after(() => cdf.down());
  return cdf;
}
