import type { Logger, Timer } from "@ims/runtime";
import { CapabilitiesExchangeAnswer, CapabilitiesExchangeRequest } from "../base/commands.ts";
import { ResultCode, resultCodeName } from "../base/result-codes.ts";
import { decode } from "../codec/decode.ts";
import { type Header, HeaderFlag, readHeader, VERSION } from "../codec/header.ts";
import { diameterProblems } from "../problems.ts";
import { capabilitiesResult, identityOf, ownCapabilities, type PeerIdentity } from "./capabilities.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";
import type { PeerContext } from "./peer-context.ts";

/** Connections that have not said who they are. More are refused: each costs a socket until its CER or its timeout. */
const MAX_UNIDENTIFIED = 256;

export interface AcceptorOptions {
  readonly context: PeerContext;
  readonly log: Logger;
  /** May this peer connect? False: 3010. */
  readonly admits: (identity: PeerIdentity, remoteAddress: string) => boolean;
  /** Takes the connection over; false: there is a connection to that peer already. */
  readonly adopt: (connection: Connection, cer: Header, identity: PeerIdentity) => boolean;
}

/** What a connection that a peer opened must go through: RFC 6733 §5.3, §5.6.1 (R-Conn-CER). */
export class Acceptor implements ConnectionHandler {
  readonly #options: AcceptorOptions;
  readonly #waiting = new Map<Connection, Timer>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  accepted(connection: Connection): void {
    const { clock, timing } = this.#options.context;
    if (this.#waiting.size >= MAX_UNIDENTIFIED) {
      connection.destroy();
      return;
    }
    const timer = clock.setTimer(timing.capabilitiesTimeoutMs, () => {
      this.#waiting.delete(connection);
      connection.destroy();
    });
    this.#waiting.set(connection, timer);
  }

  /** Drops whoever has not said who they are. */
  stop(): void {
    for (const [connection, timer] of this.#waiting) {
      timer.cancel();
      connection.destroy();
    }
    this.#waiting.clear();
  }

  connected(): void {}

  closed(connection: Connection): void {
    this.#forget(connection);
  }

  broken(connection: Connection, header: Buffer): void {
    const { context } = this.#options;
    context.metrics.dropped("framing");
    const resultCode =
      header[0] === VERSION ? ResultCode.INVALID_MESSAGE_LENGTH : ResultCode.UNSUPPORTED_VERSION;
    const parsed = readHeader(header, 0);
    if ((parsed.flags & HeaderFlag.request) !== 0) {
      context.owner.refuse(connection, parsed, { resultCode, reason: resultCodeName(resultCode) });
    }
    this.#forget(connection);
    connection.dispose();
  }

  message(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const { context, log, admits, adopt } = this.#options;
    this.#forget(connection);
    const decoded = decode(context.dictionary, bytes, start, end);
    const { header } = decoded;
    // §5.6.1: anything but a CER is discarded, and the connection with it.
    if (header.code !== CapabilitiesExchangeRequest.code || decoded.command?.request !== true) {
      context.metrics.dropped("notCapabilities");
      connection.dispose();
      return;
    }
    if (decoded.kind === "fault") {
      context.owner.refuse(connection, header, decoded.fault, decoded.avps);
      connection.dispose();
      return;
    }
    const identity = identityOf(decoded.avps);
    let result: ResultCode = ResultCode.UNKNOWN_PEER;
    if (identity !== undefined) {
      result = capabilitiesResult(context.local, identity);
      const itself = identity.originHost.toLowerCase() === context.local.originHost.toLowerCase();
      if (itself || !admits(identity, connection.remoteAddress)) result = ResultCode.UNKNOWN_PEER;
      if (result === ResultCode.SUCCESS) {
        if (adopt(connection, header, identity)) return;
        result = ResultCode.ELECTION_LOST;
      }
    }
    const { hopByHop, endToEnd } = header;
    const refusal = resultCodeName(result);
    log.warn(
      {
        peer: identity?.originHost,
        address: connection.remoteAddress,
        refusal,
        problemId: diameterProblems.peerRefused.id,
      },
      "peer refused",
    );
    const flags = result === ResultCode.UNKNOWN_PEER ? HeaderFlag.error : 0;
    connection.send(
      CapabilitiesExchangeAnswer,
      { hopByHop, endToEnd, flags },
      {
        resultCode: result,
        ...ownCapabilities(context.local, connection.localAddress),
        errorMessage: refusal,
      },
    );
    connection.dispose();
  }

  #forget(connection: Connection): void {
    this.#waiting.get(connection)?.cancel();
    this.#waiting.delete(connection);
  }
}
