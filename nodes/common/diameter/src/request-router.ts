import type { Clock, Logger, Timer } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { type Result, resultOf } from "./base/result.ts";
import { ResultCode } from "./base/result-codes.ts";
import type { CommandPair, Dictionary } from "./codec/command.ts";
import { type DecodedAvps, decode } from "./codec/decode.ts";
import { type Header, HeaderFlag } from "./codec/header.ts";
import { DiameterError } from "./errors.ts";
import type { DiameterMetrics } from "./metrics.ts";
import type { Peer } from "./peer/peer.ts";
import type { PeerTable, Wanted } from "./peer/peer-table.ts";
import { diameterProblems } from "./problems.ts";
import type { DiameterTrail } from "./trail/diameter-trail.ts";

/** Why no answer can be had. */
export type UnavailableCause =
  | "noPeer"
  | "disconnected"
  | "stopped"
  | "malformedAnswer"
  | "tooLong"
  | "tooManyRequests";

/** How a request ended, before its AVPs have their types. */
export type RawOutcome =
  | {
      readonly kind: "answer";
      readonly avps: DecodedAvps;
      readonly result: Result;
      /** Origin-Host of the peer that it came through. */
      readonly peer: string;
    }
  | { readonly kind: "timeout" }
  | { readonly kind: "unavailable"; readonly cause: UnavailableCause };

export interface RouterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DiameterMetrics;
  readonly dictionary: Dictionary;
  readonly peers: PeerTable;
  /** Requests of this node without an answer; more are refused. */
  readonly maxPending: number;
  nextEndToEnd(): number;
  readonly trail?: DiameterTrail | undefined;
  applicationName(id: number): string;
}

/** One request of this node, from `send` to its outcome. */
interface Transaction {
  readonly pair: CommandPair;
  readonly wanted: Wanted;
  readonly avps: Readonly<Record<string, unknown>>;
  readonly endToEnd: number;
  readonly tryMs: number;
  /** When it began, by the monotonic clock, ms. */
  readonly begun: number;
  readonly deadline: number;
  /** The T bit is set from the next try on. */
  again: boolean;
  readonly done: (outcome: RawOutcome) => void;
  readonly tried: Peer[];
  peer: Peer | undefined;
  hopByHop: number;
  timer: Timer | undefined;
}

/** So long a request waits for a peer that has just gone and is likely to be back, ms. */
const WAIT_MS = 1_500;
/** And meanwhile it is looked for that often, ms. */
const LOOK_MS = 200;

/** Requests of this node: sent, matched with their answers, given to another peer when one fails (RFC 6733 §5.5.4, §6.1). */
export class RequestRouter {
  readonly #options: RouterOptions;
  readonly #pending = new Map<Peer, Map<number, Transaction>>();
  /** Those that no peer has, because all of them restart. */
  readonly #waiting = new Set<Transaction>();
  #count = 0;
  #stopped = false;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#count;
  }

  /** `done` is called once, and may be called before this returns. Throws only for values that no AVP can hold. */
  send(
    pair: CommandPair,
    avps: Readonly<Record<string, unknown>>,
    wanted: Wanted,
    timing: { readonly tryMs: number; readonly totalMs: number },
    retransmission: boolean,
    done: (outcome: RawOutcome) => void,
  ): void {
    const { clock, maxPending, metrics } = this.#options;
    if (this.#stopped || this.#count >= maxPending) {
      metrics.sent(pair.request.name, "unavailable");
      done({ kind: "unavailable", cause: this.#stopped ? "stopped" : "tooManyRequests" });
      return;
    }
    const begun = clock.monotonic();
    const transaction: Transaction = {
      pair,
      wanted,
      avps,
      endToEnd: this.#options.nextEndToEnd(),
      tryMs: timing.tryMs,
      begun,
      deadline: begun + timing.totalMs,
      again: retransmission,
      done,
      tried: [],
      peer: undefined,
      hopByHop: 0,
      timer: undefined,
    };
    this.#count++;
    if (this.#try(transaction, false) || this.#wait(transaction, "noPeer")) return;
    for (const peer of this.#options.peers.all) peer.hurry();
    this.#finish(transaction, { kind: "unavailable", cause: "noPeer" });
  }

  /** A peer can be asked now. */
  opened(): void {
    for (const transaction of [...this.#waiting]) this.#try(transaction, transaction.again);
  }

  /** An answer from the wire. */
  answer(peer: Peer, header: Header, bytes: Buffer, start: number, end: number): void {
    const { dictionary, metrics, log } = this.#options;
    const transaction = this.#pending.get(peer)?.get(header.hopByHop);
    if (transaction === undefined) {
      metrics.dropped("unmatchedAnswer");
      return;
    }
    const { pair } = transaction;
    const decoded = decode(dictionary, bytes, start, end);
    if (decoded.kind === "fault" || decoded.command !== pair.answer) {
      const reason = decoded.kind === "fault" ? decoded.fault.reason : "answers another command";
      log.warn(
        {
          peer: peer.name,
          command: pair.answer.name,
          reason,
          problemId: diameterProblems.malformedAnswer.id,
        },
        "malformed answer",
      );
      metrics.dropped("malformedAnswer");
      this.#finish(transaction, { kind: "unavailable", cause: "malformedAnswer" });
      return;
    }
    const result = resultOf(decoded.avps);
    const delivery = result.code === ResultCode.UNABLE_TO_DELIVER || result.code === ResultCode.TOO_BUSY;
    // RFC 6733 §7.1.3: these ask for another peer. 5012 is what an HSS says that cannot reach its database (TS 29.228 §6.1.1.1): another
    // front end may. It has not been worked on, so the T bit stays clear.
    const elsewhere = delivery
      ? (header.flags & HeaderFlag.error) !== 0
      : result.code === ResultCode.UNABLE_TO_COMPLY && result.vendorId === 0;
    if (elsewhere && this.#try(transaction, false)) return;
    this.#finish(transaction, { kind: "answer", avps: decoded.avps, result, peer: peer.name });
  }

  /** The peer is suspected: what it has goes elsewhere where there is an elsewhere, else its answer is still waited for. */
  failover(peer: Peer): void {
    for (const transaction of [...(this.#pending.get(peer)?.values() ?? [])]) this.#try(transaction, true);
  }

  /** The peer's connection is gone. */
  disconnected(peer: Peer): void {
    this.failover(peer);
    for (const transaction of [...(this.#pending.get(peer)?.values() ?? [])]) {
      transaction.again = true;
      if (!this.#wait(transaction, "disconnected"))
        this.#finish(transaction, { kind: "unavailable", cause: "disconnected" });
    }
    this.#pending.delete(peer);
  }

  stop(): void {
    this.#stopped = true;
    for (const byId of [...this.#pending.values()]) {
      for (const transaction of [...byId.values()]) {
        this.#finish(transaction, { kind: "unavailable", cause: "stopped" });
      }
    }
    for (const transaction of [...this.#waiting])
      this.#finish(transaction, { kind: "unavailable", cause: "stopped" });
  }

  /** Sends to the next peer; false: there is none, and nothing has changed. */
  #try(transaction: Transaction, retransmission: boolean): boolean {
    const { clock, peers, metrics } = this.#options;
    const peer = peers.choose(transaction.wanted, transaction.tried);
    if (peer === undefined) return false;
    const left = transaction.deadline - clock.monotonic();
    if (left <= 0) return false;
    this.#release(transaction);
    const { pair, endToEnd } = transaction;
    let byId = this.#pending.get(peer);
    if (byId === undefined) {
      byId = new Map();
      this.#pending.set(peer, byId);
    }
    let hopByHop = peer.nextHopByHop();
    // After a wrap an identifier may still be waiting for its answer.
    while (byId.has(hopByHop)) hopByHop = peer.nextHopByHop();
    transaction.peer = peer;
    transaction.hopByHop = hopByHop;
    transaction.tried.push(peer);
    byId.set(hopByHop, transaction);
    transaction.timer = clock.setTimer(Math.min(transaction.tryMs, left), () => this.#expired(transaction));
    let avps = transaction.avps;
    if (avps["destinationHost"] === undefined && "destinationHost" in pair.request.avps) {
      const occurrence = pair.request.avps["destinationHost"]?.occurrence;
      if (occurrence === "required") avps = { ...avps, destinationHost: peer.identity?.originHost };
    }
    const flags =
      (pair.request.proxiable ? HeaderFlag.proxiable : 0) |
      (retransmission || transaction.again ? HeaderFlag.retransmitted : 0);
    try {
      peer.send(pair.request, { hopByHop, endToEnd, flags }, avps);
    } catch (error) {
      if (!(error instanceof DiameterError) || error.detail.code !== "DIAMETER_MESSAGE_TOO_LONG") {
        this.#close(transaction);
        throw error;
      }
      this.#finish(transaction, { kind: "unavailable", cause: "tooLong" });
      return true;
    }
    if (retransmission) metrics.retransmitted(pair.request.name);
    return true;
  }

  /**
   * A pool that is restarted member by member may be without one for an instant: the last has gone, the one before has not been
   * found again. False: nobody is expected back.
   */
  #wait(transaction: Transaction, cause: "noPeer" | "disconnected"): boolean {
    const { clock, peers } = this.#options;
    if (transaction.wanted.destinationHost !== undefined) return false;
    const until = Math.min(clock.monotonic() + WAIT_MS, transaction.deadline);
    const look = (): boolean => {
      let expected = false;
      for (const peer of peers.all) {
        if (!peer.isReturning) continue;
        expected = true;
        peer.hurry(LOOK_MS);
      }
      return expected && clock.monotonic() < until;
    };
    if (!look()) return false;
    this.#release(transaction);
    transaction.tried.length = 0;
    this.#waiting.add(transaction);
    const again = (): void => {
      transaction.timer = clock.setTimer(LOOK_MS, () => {
        if (look()) again();
        else this.#finish(transaction, { kind: "unavailable", cause });
      });
    };
    again();
    return true;
  }

  #expired(transaction: Transaction): void {
    transaction.peer?.probe();
    // The probe may have found the connection dead and moved the request on.
    if (transaction.deadline > this.#options.clock.monotonic() && this.#try(transaction, true)) return;
    this.#finish(transaction, { kind: "timeout" });
  }

  #release(transaction: Transaction): void {
    transaction.timer?.cancel();
    this.#waiting.delete(transaction);
    if (transaction.peer === undefined) return;
    this.#pending.get(transaction.peer)?.delete(transaction.hopByHop);
    transaction.peer = undefined;
  }

  #close(transaction: Transaction): void {
    this.#release(transaction);
    this.#count--;
  }

  #finish(transaction: Transaction, outcome: RawOutcome): void {
    this.#close(transaction);
    const { clock, metrics, log, trail, applicationName } = this.#options;
    const { name, applicationId } = transaction.pair.request;
    if (outcome.kind === "answer") metrics.sentResult(name, outcome.result);
    else {
      metrics.sent(name, outcome.kind);
      const how = outcome.kind === "timeout" ? "timeout" : outcome.cause;
      trail?.unanswered(applicationName(applicationId), name, how, transaction.avps);
    }
    metrics.ended(name, clock.monotonic() - transaction.begun);
    try {
      transaction.done(outcome);
    } catch (error) {
      // The caller's bug must not cost the other messages of this read.
      log.error(
        { err: error, command: name, problemId: runtimeProblems.defect.id },
        "answer callback failed",
      );
    }
  }
}
