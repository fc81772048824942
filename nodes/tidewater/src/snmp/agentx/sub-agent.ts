import { connect, type Socket } from "node:net";
import type { Clock, Logger, Timer } from "@ims/runtime";
import type { MibView } from "./mib-view.ts";
import type { Oid } from "./oid.ts";
import {
  closePdu,
  ERRORS,
  HEADER_LENGTH,
  type Ids,
  notifyPdu,
  openPdu,
  type PduHeader,
  pingPdu,
  readHeader,
  readRequest,
  registerPdu,
  responsePdu,
} from "./pdu.ts";
import type { VarBind } from "./value.ts";

/** Where the master agent listens: a UNIX socket, or TCP. */
export type MasterAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export interface SubAgentOptions {
  readonly master: MasterAddress;
  readonly description: string;
  readonly subtrees: readonly Oid[];
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "debug">;
  /** The objects as they are now. */
  readonly view: () => MibView;
  /** Told when the master knows us, and when it is lost. */
  readonly onState?: (connected: boolean, why: string) => void;
}

const RETRY_MS = 2_000;
/** Between two signs of life that are asked for; without an answer by the next one the master is lost. */
const PING_MS = 15_000;
/** Notifications kept while there is no master; the oldest go first. */
const MAX_WAITING = 1_000;

/** A sub-agent of RFC 2741: serves read-only objects to a master agent, sends notifications through it, connects again when it is lost. */
export class SubAgent {
  readonly #options: SubAgentOptions;
  #socket: Socket | undefined;
  #timer: Timer | undefined;
  #received: Buffer = Buffer.alloc(0);
  #sessionId = 0;
  #packetId = 0;
  /** What answers of the master are to, by packet. */
  readonly #asked = new Map<number, (error: number, header: PduHeader) => void>();
  #waiting: (readonly VarBind[])[] = [];
  #connected = false;
  #stopped = false;

  constructor(options: SubAgentOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#connect();
  }

  /** Says goodbye. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    if (this.#connected) this.#socket?.write(closePdu(this.#ids()));
    this.#socket?.end();
    this.#socket?.unref();
  }

  /** Sends a notification (SNMPv2-Trap) as soon as there is a master. The first variable is snmpTrapOID.0. */
  notify(varBinds: readonly VarBind[]): void {
    if (this.#connected) return this.#ask(notifyPdu, varBinds, () => undefined);
    this.#waiting.push(varBinds);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  #connect(): void {
    const { master } = this.#options;
    const socket = connect({ ...master });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    this.#sessionId = 0;
    let why = "the master has closed the connection";
    socket.on("connect", () => this.#open());
    socket.on("data", (bytes) => {
      try {
        this.#receive(bytes);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        socket.destroy();
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message;
    });
    socket.on("close", () => this.#lost(why));
  }

  #lost(why: string): void {
    this.#timer?.cancel();
    this.#asked.clear();
    const was = this.#connected;
    this.#connected = false;
    if (this.#stopped) return;
    if (was) this.#options.onState?.(false, why);
    else this.#options.log.debug({ why }, "no master agent");
    this.#timer = this.#options.clock.setTimer(RETRY_MS, () => this.#connect());
  }

  #open(): void {
    const { description, subtrees, onState } = this.#options;
    this.#ask(openPdu, description, (error, header) => {
      if (error !== ERRORS.noError) return this.#refused(`Open: error ${error}`);
      this.#sessionId = header.sessionId;
      let missing = subtrees.length;
      for (const subtree of subtrees)
        this.#ask(registerPdu, subtree, (problem) => {
          if (problem !== ERRORS.noError)
            return this.#refused(`Register ${subtree.join(".")}: error ${problem}`);
          if (--missing > 0) return;
          this.#connected = true;
          onState?.(true, "");
          for (const varBinds of this.#waiting.splice(0)) this.notify(varBinds);
          this.#ping();
        });
    });
  }

  #refused(why: string): void {
    this.#options.log.info({ why }, "the master agent refuses us");
    this.#socket?.destroy();
  }

  #ping(): void {
    let answered = true;
    const tick = (): void => {
      if (!answered) return void this.#socket?.destroy(new Error("the master does not answer"));
      answered = false;
      this.#ask(
        (ids) => pingPdu(ids),
        undefined,
        () => {
          answered = true;
        },
      );
      this.#timer = this.#options.clock.setTimer(PING_MS, tick);
    };
    this.#timer = this.#options.clock.setTimer(PING_MS, tick);
  }

  #ids(): Ids {
    this.#packetId = (this.#packetId + 1) >>> 0;
    return { sessionId: this.#sessionId, transactionId: 0, packetId: this.#packetId };
  }

  #ask<T>(
    make: (ids: Ids, what: T) => Buffer,
    what: T,
    answered: (error: number, header: PduHeader) => void,
  ): void {
    const ids = this.#ids();
    this.#asked.set(ids.packetId, answered);
    this.#socket?.write(make(ids, what));
  }

  /** Whole PDUs of a stream. Throws PduError for what is none. */
  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= HEADER_LENGTH) {
      const header = readHeader(this.#received);
      const end = HEADER_LENGTH + header.payloadLength;
      if (this.#received.length < end) return;
      const payload = this.#received.subarray(HEADER_LENGTH, end);
      this.#received = this.#received.subarray(end);
      this.#handle(header, payload);
    }
  }

  #handle(header: PduHeader, payload: Buffer): void {
    const request = readRequest(header, payload);
    const respond = (error: number, varBinds: readonly VarBind[] = [], index = 0): void =>
      void this.#socket?.write(responsePdu(header, error, { varBinds, index }));
    switch (request.type) {
      case "response": {
        const answered = this.#asked.get(header.packetId);
        this.#asked.delete(header.packetId);
        return answered?.(request.error, header);
      }
      case "get": {
        const view = this.#options.view();
        return respond(
          ERRORS.noError,
          request.ranges.map(({ start }) => view.get(start)),
        );
      }
      case "getNext": {
        const view = this.#options.view();
        return respond(
          ERRORS.noError,
          request.ranges.map((range) => view.next(range)),
        );
      }
      case "getBulk": {
        const { ranges, nonRepeaters, maxRepetitions } = request;
        return respond(ERRORS.noError, this.#options.view().bulk(ranges, nonRepeaters, maxRepetitions));
      }
      case "testSet":
        return respond(ERRORS.notWritable, [], 1);
      case "set":
        return respond(ERRORS.genErr);
      case "cleanupSet":
        return; // it has no response: RFC 2741 §7.2.4.4
      case "close":
        return void this.#socket?.destroy();
      case "other":
        return respond(ERRORS.parseError);
    }
  }
}
