import { type Clock, type Logger, runtimeProblems } from "@ims/runtime";
import { errorAnswerAvps } from "./base/commands.ts";
import { type Result, resultOf } from "./base/result.ts";
import { ResultCode } from "./base/result-codes.ts";
import {
  type Application,
  type Command,
  type CommandPair,
  command,
  type Dictionary,
} from "./codec/command.ts";
import { type DecodedAvps, decode, type MessageFault } from "./codec/decode.ts";
import { type Header, HeaderFlag } from "./codec/header.ts";
import type { DiameterMetrics } from "./metrics.ts";
import type { LocalNode } from "./peer/capabilities.ts";
import type { Connection } from "./peer/connection.ts";
import type { Peer } from "./peer/peer.ts";

/** A request as a handler gets it. */
export interface RawRequest {
  readonly avps: DecodedAvps;
  readonly endToEnd: number;
  /** The T bit: the peer may have sent it before, over another connection. */
  readonly retransmitted: boolean;
}
export type RawHandler = (request: RawRequest, peer: Peer) => DecodedAvps | Promise<DecodedAvps>;

export interface ResponderOptions {
  readonly clock: Clock;
  readonly local: LocalNode;
  readonly dictionary: Dictionary;
  readonly metrics: DiameterMetrics;
  readonly log: Logger;
  /** Requests a peer may have in work here; more are answered 3004. */
  readonly maxInWork: number;
}

const errorAnswer: Command = command({
  name: "error",
  code: 0,
  applicationId: 0,
  request: false,
  avps: errorAnswerAvps,
});

/** Requests of peers: checked (RFC 6733 §6.1.4), given to their handler, answered. */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #handlers = new Map<CommandPair, RawHandler>();
  readonly #applications = new Map<number, Application>();
  readonly #inWork = new WeakMap<Connection, number>();
  readonly #waiting = new Map<Connection, () => void>();

  constructor(options: ResponderOptions) {
    this.#options = options;
    for (const application of options.local.applications) this.#applications.set(application.id, application);
  }

  handle(pair: CommandPair, handler: RawHandler): void {
    this.#handlers.set(pair, handler);
  }

  request(peer: Peer, connection: Connection, bytes: Buffer, start: number, end: number): void {
    const { dictionary } = this.#options;
    const decoded = decode(dictionary, bytes, start, end);
    const { header, avps } = decoded;
    if (decoded.kind === "fault") {
      this.refuse(connection, header, decoded.fault, avps);
      return;
    }
    const pair = dictionary.find(header.applicationId, header.code);
    const fault = this.#misrouted(avps);
    const handler = pair === undefined ? undefined : this.#handlers.get(pair);
    if (fault !== undefined || pair === undefined || handler === undefined) {
      const unsupported = { resultCode: ResultCode.COMMAND_UNSUPPORTED, reason: decoded.command.name };
      this.refuse(connection, header, fault ?? unsupported, avps);
      return;
    }
    const inWork = this.#inWork.get(connection) ?? 0;
    if (inWork >= this.#options.maxInWork) {
      this.refuse(connection, header, { resultCode: ResultCode.TOO_BUSY, reason: `${inWork} in work` }, avps);
      return;
    }
    const retransmitted = (header.flags & HeaderFlag.retransmitted) !== 0;
    const begun = this.#options.clock.monotonic();
    let answer: DecodedAvps | Promise<DecodedAvps>;
    try {
      answer = handler({ avps, endToEnd: header.endToEnd, retransmitted }, peer);
    } catch (error) {
      this.#failed(connection, pair, header, avps, error);
      return;
    }
    const worked = (result: DecodedAvps): void => {
      this.#answer(connection, pair, header, avps, result);
      const { clock, metrics } = this.#options;
      metrics.served(pair.request.name, clock.monotonic() - begun);
    };
    if (!(answer instanceof Promise)) {
      worked(answer);
      return;
    }
    this.#inWork.set(connection, inWork + 1);
    answer
      .then(worked, (error: unknown) => this.#failed(connection, pair, header, avps, error))
      .finally(() => this.#worked(connection));
  }

  /** Calls back when nothing of this connection is in work any more: at once, or after the last answer. */
  whenIdle(connection: Connection, done: () => void): void {
    if ((this.#inWork.get(connection) ?? 0) === 0) done();
    else this.#waiting.set(connection, done);
  }

  #worked(connection: Connection): void {
    const left = (this.#inWork.get(connection) ?? 1) - 1;
    this.#inWork.set(connection, left);
    if (left > 0) return;
    const done = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    done?.();
  }

  /** An error answer: RFC 6733 §7.2; the E bit is for protocol errors (3xxx). */
  refuse(connection: Connection, header: Header, fault: MessageFault, avps: DecodedAvps = {}): void {
    const { local, dictionary, metrics, log } = this.#options;
    const { resultCode, failedAvp, reason } = fault;
    const pair = dictionary.find(header.applicationId, header.code);
    metrics.received(pair?.request.name ?? "other", { code: resultCode, vendorId: 0 });
    log.debug({ resultCode, reason, command: header.code }, "request refused");
    const protocolError = resultCode >= 3000 && resultCode < 4000;
    const answer =
      pair === undefined || protocolError
        ? { ...errorAnswer, code: header.code, applicationId: header.applicationId }
        : pair.answer;
    const own = { originHost: local.originHost, originRealm: local.originRealm, resultCode };
    const ids = identifiers(header, protocolError ? HeaderFlag.error : 0);
    try {
      connection.send(answer, ids, { ...this.#head(header, avps), ...own, errorMessage: reason, failedAvp });
    } catch {
      // What must be repeated does not fit with what is to be said: the identifiers and the code must do.
      connection.send(answer, ids, own);
    }
  }

  #misrouted(avps: DecodedAvps): MessageFault | undefined {
    const { originHost, originRealm } = this.#options.local;
    const { destinationHost, destinationRealm, routeRecord } = avps;
    // §6.1.3; names are domain names, whose case does not matter.
    if (Array.isArray(routeRecord) && routeRecord.some((host) => same(host, originHost))) {
      return { resultCode: ResultCode.LOOP_DETECTED, reason: "this node is in Route-Record" };
    }
    if (destinationRealm !== undefined && !same(destinationRealm, originRealm)) {
      return { resultCode: ResultCode.REALM_NOT_SERVED, reason: `this node is in ${originRealm}` };
    }
    if (destinationHost !== undefined && !same(destinationHost, originHost)) {
      return { resultCode: ResultCode.UNABLE_TO_DELIVER, reason: `this node is ${originHost}` };
    }
    return undefined;
  }

  #failed(
    connection: Connection,
    pair: CommandPair,
    header: Header,
    avps: DecodedAvps,
    error: unknown,
  ): void {
    this.#options.log.error(
      { err: error, command: pair.request.name, problemId: runtimeProblems.defect.id },
      "request handler failed",
    );
    this.refuse(
      connection,
      header,
      { resultCode: ResultCode.UNABLE_TO_COMPLY, reason: "internal error" },
      avps,
    );
  }

  #answer(
    connection: Connection,
    pair: CommandPair,
    header: Header,
    request: DecodedAvps,
    answer: DecodedAvps,
  ): void {
    const { originHost, originRealm } = this.#options.local;
    let result: Result;
    try {
      result = resultOf(answer);
      connection.send(pair.answer, identifiers(header, 0), {
        originHost,
        originRealm,
        ...this.#head(header, request),
        ...answer,
      });
    } catch (error) {
      this.#failed(connection, pair, header, request, error);
      return;
    }
    this.#options.metrics.received(pair.request.name, result);
  }

  /** What every answer repeats or says about the session; a command without one of these leaves it out. */
  #head(header: Header, request: DecodedAvps): Record<string, unknown> {
    const application = this.#applications.get(header.applicationId);
    return {
      sessionId: request["sessionId"],
      vendorSpecificApplicationId:
        application === undefined || application.vendorId === 0
          ? undefined
          : { vendorId: application.vendorId, authApplicationId: application.id },
      authSessionState: application === undefined ? undefined : 1,
      // §6.2: unchanged and in the same order.
      proxyInfo: request["proxyInfo"],
    };
  }
}

function identifiers(
  { hopByHop, endToEnd, flags }: Header,
  more: number,
): {
  hopByHop: number;
  endToEnd: number;
  flags: number;
} {
  return { hopByHop, endToEnd, flags: (flags & HeaderFlag.proxiable) | more };
}

function same(name: unknown, own: string): boolean {
  return name === own || (typeof name === "string" && name.toLowerCase() === own.toLowerCase());
}
