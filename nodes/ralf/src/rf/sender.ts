import type { DiameterNode } from "@ims/diameter";
import { Acr } from "@ims/diameter/rf";
import type { Clock, Logger, Timer } from "@ims/runtime";
import type { SenderCounters } from "../metrics.ts";
import { ralfProblems } from "../problems.ts";
import type { QueueDatabase, QueuedRecord } from "../queue/queue-database.ts";
import { acrOf } from "./acr.ts";
import { type Verdict, verdictOf } from "./result.ts";

export interface SenderOptions {
  readonly realm: string;
  /** For one try, ms. */
  readonly timeoutMs: number;
  /** Requests under way at a time. */
  readonly window: number;
  readonly interimSeconds: number;
}

export interface SenderModules {
  readonly node: Pick<DiameterNode, "request" | "isConnected">;
  readonly queue: QueueDatabase;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: SenderCounters;
  /** The CDF has answered a record of a session that goes on. */
  readonly onInterval: (record: QueuedRecord["record"], interimSeconds: number) => void;
}

/** A record that a CDF refuses with what may pass is offered this often: about two minutes. */
const MAX_TRIES = 6;
const FIRST_RETRY_MS = 2_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** A CDF that comes back is asked for much at once only when it has shown that it takes it. */
const FIRST_WINDOW = 4;

/** Takes records from the queue to the CDF: in order within a session, many sessions at a time. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #modules: SenderModules;
  readonly #underWay = new Set<number>();
  #window = FIRST_WINDOW;
  /** Rounds without any answer. */
  #silent = 0;
  #pausedUntil = 0;
  #timer: Timer | undefined;
  #armed = false;
  #stopped = false;
  #reason: string | undefined;

  constructor(options: SenderOptions, modules: SenderModules) {
    this.#options = options;
    this.#modules = modules;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Why nothing goes out; undefined when records are answered. */
  get problem(): string | undefined {
    return this.#reason;
  }

  /** There may be something to send. */
  poke(): void {
    if (this.#armed || this.#stopped) return;
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      this.#pump();
    });
  }

  /** A CDF is there again: no more waiting. */
  hurry(): void {
    this.#pausedUntil = 0;
    this.poke();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #pump(): void {
    const { queue, clock } = this.#modules;
    const now = clock.now();
    if (this.#stopped || queue.queued === 0) return;
    if (clock.monotonic() < this.#pausedUntil) return this.#wake(this.#pausedUntil - clock.monotonic());
    // Half of the window at a time: looking into the queue is not for every answer.
    if (this.#underWay.size > this.#window / 2) return;
    // Those under way are still in the queue.
    for (const id of queue.sendable(now, this.#window + this.#underWay.size)) {
      if (this.#underWay.size >= this.#window) return;
      const queued = this.#underWay.has(id) ? undefined : queue.read(id);
      if (queued !== undefined) void this.#send(queued);
    }
    // Postponed ones have nobody else to wake them.
    if (this.#underWay.size === 0) this.#wake(1_000);
  }

  #wake(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#modules.clock.setTimer(ms, () => this.#pump());
  }

  async #send(queued: QueuedRecord): Promise<void> {
    const { node, log, counters } = this.#modules;
    const { realm, timeoutMs, interimSeconds } = this.#options;
    const { record } = queued;
    this.#underWay.add(queued.id);
    let verdict: Verdict;
    try {
      const outcome = await node.request(Acr, acrOf(record, interimSeconds), {
        destinationRealm: realm,
        destinationHost: this.#preferred(record.event.ccf, queued.again),
        sessionId: record.sessionId,
        retransmission: queued.again,
        timeoutMs,
      });
      verdict = verdictOf(outcome);
    } catch (err) {
      // A value that no AVP can hold: it must not keep the others away.
      log.error(
        { err, sessionId: record.sessionId, problemId: ralfProblems.recordUnwritable.id },
        "a charging record cannot be sent",
      );
      verdict = { kind: "refused", result: "cannot be written as an ACR" };
    }
    await this.#settle(queued, verdict);
    this.#underWay.delete(queued.id);
    counters.record(record.recordType, verdict.kind);
    this.poke();
  }

  async #settle({ id, record, tries }: QueuedRecord, verdict: Verdict): Promise<void> {
    const { queue, clock, log, onInterval } = this.#modules;
    const { sessionId, recordType, recordNumber } = record;
    if (verdict.kind === "unanswered") {
      if (verdict.sent) await queue.unanswered(id);
      return this.#unanswered(verdict.reason);
    }
    this.#answers();
    if (verdict.kind === "accepted") {
      await queue.answered(id);
      const { interimSeconds } = verdict;
      if (interimSeconds !== undefined && (recordType === "START" || recordType === "INTERIM"))
        onInterval(record, interimSeconds);
      return;
    }
    const { result } = verdict;
    if (verdict.kind === "postponed" && tries + 1 < MAX_TRIES) {
      await queue.postpone(id, clock.now() + FIRST_RETRY_MS * 2 ** tries);
      return;
    }
    log.error(
      { sessionId, recordType, recordNumber, result, problemId: ralfProblems.deadLetters.id },
      "the CDF refused a charging record: dead letter",
    );
    await queue.bury(id, result, clock.now());
  }

  #answers(): void {
    if (this.#reason !== undefined) this.#modules.log.info({}, "the CDF answers");
    this.#reason = undefined;
    this.#silent = 0;
    this.#pausedUntil = 0;
    this.#window = Math.min(this.#options.window, this.#window + 1);
  }

  /** All wait: first shortly, then longer; one record tells when the CDF is there again. */
  #unanswered(reason: string): void {
    const { clock, log } = this.#modules;
    if (this.#reason === undefined)
      log.error(
        { reason, problemId: ralfProblems.cdfAway.id },
        "no CDF takes charging records; they wait on disk",
      );
    this.#reason = `${reason}, records wait on disk`;
    this.#window = Math.max(1, Math.floor(this.#window / 2));
    if (clock.monotonic() < this.#pausedUntil) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#silent++, 8));
    this.#pausedUntil = clock.monotonic() + pause;
    this.#wake(pause);
  }

  /** The first collection function of the served user that is a peer of ours (TS 24.229 §5.4.1.2.2F); else whoever serves the realm. */
  #preferred(ccf: readonly string[] = [], again: boolean): string | undefined {
    // The first one has had its chance.
    for (const uri of again ? ccf.slice(1) : ccf) {
      const host = /^aaas?:\/\/([^:;/\s]+)/i.exec(uri)?.[1];
      if (host !== undefined && this.#modules.node.isConnected(host)) return host;
    }
    return undefined;
  }
}
