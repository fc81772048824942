import type { Logger, Timer } from "@ims/runtime";
import { DisconnectCauseValue } from "../base/avps.ts";
import {
  type Capabilities,
  CapabilitiesExchangeAnswer,
  CapabilitiesExchangeRequest,
  DeviceWatchdogAnswer,
  DeviceWatchdogRequest,
  DisconnectPeerAnswer,
  DisconnectPeerRequest,
} from "../base/commands.ts";
import { ResultCode } from "../base/result-codes.ts";
import type { Command } from "../codec/command.ts";
import { type Decoded, decode } from "../codec/decode.ts";
import { type Header, HeaderFlag, messageLength, readHeader, VERSION } from "../codec/header.ts";
import { diameterProblems } from "../problems.ts";
import { ceaProblem, identityOf, ownCapabilities, type PeerIdentity } from "./capabilities.ts";
import type { Connection, ConnectionHandler, Endpoint } from "./connection.ts";
import { type PeerAction, type PeerInput, type PeerState, peerFsm } from "./peer.fsm.ts";
import type { PeerContext } from "./peer-context.ts";
import { Reconnection } from "./reconnection.ts";
import { Watchdog } from "./watchdog.ts";

/** A peer from the configuration: this node connects to it and keeps trying. */
export interface PeerOptions extends Endpoint {
  /** Its Origin-Host, where known: CEA must agree, and elections need no second look. */
  readonly originHost?: string;
  /** Realms it serves beside its own. */
  readonly realms?: readonly string[];
  /** Lower is preferred; equal ones share the load. Default 0. */
  readonly priority?: number;
}

type Side = "i" | "r";

/** A restart takes no longer, ms. */
const RETURNS_MS = 5_000;

/** One peer: drives `peerFsm`, owns its connections. What is said between neighbours ends here, the rest goes to the owner. */
export class Peer implements ConnectionHandler {
  readonly options: PeerOptions | undefined;
  readonly #context: PeerContext;
  readonly #watchdog: Watchdog;
  readonly #reconnection: Reconnection;
  #state: PeerState = "closed";
  #identity: PeerIdentity | undefined;
  #i: Connection | undefined;
  #r: Connection | undefined;
  /** The CER that waits for its CEA. */
  #cer: Header | undefined;
  #dpr: Header | undefined;
  #cause: DisconnectCauseValue = DisconnectCauseValue.REBOOTING;
  #timer: Timer | undefined;
  #stopped = false;
  #usable = false;
  /** When it was open last. */
  #openUntil = Number.NEGATIVE_INFINITY;
  #hopByHop: number;
  #log: Logger;

  constructor(context: PeerContext, options: PeerOptions | undefined, log: Logger) {
    this.options = options;
    this.#context = context;
    this.#log = log;
    this.#hopByHop = Math.floor(context.random() * 0x1_0000_0000);
    const { watchdogMs, probeMs } = context.timing;
    this.#reconnection = new Reconnection(context.clock, context.timing, context.random);
    this.#watchdog = new Watchdog(
      context.clock,
      { watchdogMs, probeMs, random: context.random },
      {
        send: () => this.#sendWatchdog(),
        failover: () => this.#setUsable(false),
        failback: () => this.#setUsable(true),
        close: () => this.#lost("no answer to the watchdog"),
      },
    );
  }

  get state(): PeerState {
    return this.#state;
  }

  get identity(): PeerIdentity | undefined {
    return this.#identity;
  }

  /** The identity or, before it is known, where it should be. */
  get name(): string {
    const { options } = this;
    return (
      this.#identity?.originHost ?? options?.originHost ?? (options ? `${options.host}:${options.port}` : "?")
    );
  }

  /** Open, answering, and taking what is sent. */
  get usable(): boolean {
    return this.#usable && !(this.#connection?.congested ?? true);
  }

  get remoteAddress(): string {
    return this.#connection?.remoteAddress ?? "";
  }

  get #connection(): Connection | undefined {
    return this.#state === "iOpen" ? this.#i : this.#state === "rOpen" ? this.#r : (this.#i ?? this.#r);
  }

  /** Connects (RFC 6733 §5.6 Start), and again whenever the connection goes. */
  start(): void {
    if (this.options === undefined || this.#state !== "closed" || this.#stopped) return;
    if (this.#context.owner.duplicate(this)) this.#scheduleReconnect();
    else this.#input("start");
  }

  /** It was open a moment ago, has not said that it wants to be left alone, and is being looked for. */
  get isReturning(): boolean {
    if (this.options === undefined || this.#stopped || this.#reconnection.isUnwanted) return false;
    if (this.#state === "iOpen" || this.#state === "rOpen") return false;
    return this.#context.clock.monotonic() - this.#openUntil < RETURNS_MS;
  }

  /** A request found nobody to take it: tries now to connect, unless that was tried less than `sinceMs` ago. */
  hurry(sinceMs?: number): void {
    this.#reconnection.hurry(sinceMs);
  }

  /** Says goodbye and stays away. */
  stop(cause: DisconnectCauseValue = DisconnectCauseValue.REBOOTING): void {
    this.#stopped = true;
    this.#reconnection.cancel();
    this.#cause = cause;
    this.#input("stop");
  }

  /** `stop` has taken long enough. */
  abandon(): void {
    this.#input("timeout");
  }

  /** A hop-by-hop identifier for a request to this peer: RFC 6733 §3, wraps at 2^32. */
  nextHopByHop(): number {
    const id = this.#hopByHop;
    this.#hopByHop = (id + 1) >>> 0;
    return id;
  }

  /** Sends to the peer. Throws as `encode` does. */
  send(
    command: Command,
    identifiers: { hopByHop: number; endToEnd: number; flags?: number },
    avps: Readonly<Record<string, unknown>>,
  ): void {
    this.#connection?.send(command, identifiers, avps);
  }

  /** A request was not answered in time: finds out now whether the peer lives. */
  probe(): void {
    this.#watchdog.probe();
  }

  /**
   * A connection whose CER said it is this peer, and was good. False: there is another one. A peer that comes a second time may have
   * lost the first without a word, so that one is asked whether it lives: dead, it is gone when the peer tries again.
   */
  accept(connection: Connection, cer: Header, identity: PeerIdentity): boolean {
    const step = peerFsm[this.#state].rConnCer;
    if (this.#stopped || step === undefined || step.actions.includes("rReject")) {
      this.#watchdog.probe();
      return false;
    }
    this.#r = connection;
    this.#cer = cer;
    this.#identity = identity;
    connection.handOver(this);
    this.#input("rConnCer");
    return true;
  }

  connected(): void {
    this.#input("iRcvConnAck");
  }

  closed(connection: Connection, reason: string): void {
    this.#log.debug({ peer: this.name, reason }, "connection closed");
    if (connection === this.#i)
      this.#input(this.#state.startsWith("waitConn") ? "iRcvConnNack" : "iPeerDisc");
    else if (connection === this.#r) this.#input("rPeerDisc");
  }

  broken(connection: Connection, header: Buffer): void {
    this.#context.metrics.dropped("framing");
    const resultCode =
      header[0] === VERSION ? ResultCode.INVALID_MESSAGE_LENGTH : ResultCode.UNSUPPORTED_VERSION;
    const said = header[0] === VERSION ? `length ${messageLength(header, 0)}` : `version ${header[0]}`;
    this.#log.warn({ peer: this.name, said, problemId: diameterProblems.streamBroken.id }, "stream broken");
    const parsed = readHeader(header, 0);
    if ((parsed.flags & HeaderFlag.request) !== 0) {
      this.#context.owner.refuse(connection, parsed, { resultCode, reason: said });
    }
    connection.close(said);
    // The FIN of a peer that talks nonsense may never come.
    this.closed(connection, said);
  }

  message(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const side: Side = connection === this.#i ? "i" : "r";
    const header = readHeader(bytes, start);
    const request = (header.flags & HeaderFlag.request) !== 0;
    if (header.applicationId === 0) {
      const decoded = decode(this.#context.dictionary, bytes, start, end);
      this.#base(side, connection, decoded);
      return;
    }
    if (this.#state === "waitICea") {
      this.#input("iRcvNonCea");
      return;
    }
    if (peerFsm[this.#state][side === "i" ? "iRcvMessage" : "rRcvMessage"] === undefined) return;
    this.#watchdog.message();
    this.#context.trail?.received(bytes, start, end, connection.ends);
    if (request) this.#context.owner.request(this, connection, bytes, start, end);
    else this.#context.owner.answer(this, header, bytes, start, end);
  }

  /** CER, CEA, DWR, DWA, DPR, DPA. */
  #base(side: Side, connection: Connection, decoded: Decoded): void {
    const { header, command } = decoded;
    const request = (header.flags & HeaderFlag.request) !== 0;
    if (command === CapabilitiesExchangeAnswer) {
      if (side === "i") this.#cea(decoded);
      return;
    }
    if (this.#state === "waitICea" && side === "i") {
      this.#input("iRcvNonCea");
      return;
    }
    if (decoded.kind === "fault" && request) {
      this.#context.owner.refuse(connection, header, decoded.fault, decoded.avps);
      return;
    }
    switch (command) {
      case DeviceWatchdogRequest:
        this.#input(`${side}RcvDwr`, header);
        return;
      case DeviceWatchdogAnswer:
        this.#input(`${side}RcvDwa`);
        return;
      case DisconnectPeerRequest: {
        const cause = decoded.avps["disconnectCause"];
        if (cause !== DisconnectCauseValue.REBOOTING) this.#reconnection.unwanted();
        this.#dpr = header;
        this.#log.info({ peer: this.name, cause }, "peer disconnects");
        this.#input(`${side}RcvDpr`, header);
        return;
      }
      case DisconnectPeerAnswer:
        // The peer sends nothing more; what it has sent gets its answers before the transport goes.
        this.#limit(this.#context.timing.disconnectTimeoutMs);
        this.#context.owner.whenIdle(connection, () => this.#input(`${side}RcvDpa`));
        return;
      default:
        // CER on an open connection (RFC 6733 §5.3 has no use for it).
        if (request) {
          const reason = "capabilities have been exchanged";
          this.#context.owner.refuse(connection, header, { resultCode: ResultCode.UNABLE_TO_COMPLY, reason });
        }
    }
  }

  #cea(decoded: Decoded): void {
    const avps = decoded.avps as Partial<Capabilities> & { readonly resultCode?: number };
    const identity = identityOf(avps);
    const problem =
      decoded.kind === "fault"
        ? decoded.fault.reason
        : ceaProblem(this.#context.local, avps.resultCode, identity, this.options?.originHost);
    if (problem !== undefined || identity === undefined) {
      this.#log.warn(
        { peer: this.name, problem, problemId: diameterProblems.capabilitiesRefused.id },
        "capabilities exchange failed",
      );
      // A peer that knows what it does not want is asked rarely.
      if (avps.resultCode === ResultCode.ELECTION_LOST) this.#reconnection.elsewhere();
      else if (avps.resultCode !== ResultCode.SUCCESS) this.#reconnection.unwanted();
      this.#input("iRcvNonCea");
      return;
    }
    this.#identity = identity;
    if (this.#context.owner.duplicate(this)) {
      // A connection of the peer's making is open already, and this node wins the election: that one stays (§5.6.4).
      this.#input("iRcvNonCea");
      return;
    }
    this.#input("iRcvCea");
  }

  #input(input: PeerInput, header?: Header): void {
    const before = this.#state;
    const step = peerFsm[before][input];
    if (step === undefined) return;
    this.#state = step.next;
    for (const action of step.actions) this.#act(action, input.startsWith("r") ? "r" : "i", before, header);
    // An action may have led further (election).
    if (step.next !== before && this.#state === step.next) this.#entered(before, step.next);
  }

  #act(action: PeerAction, side: Side, before: PeerState, header: Header | undefined): void {
    const { local, timing } = this.#context;
    switch (action) {
      case "iSndConnReq":
        this.#limit(timing.connectTimeoutMs);
        this.#i = this.#context.connect(this.options as PeerOptions, this);
        return;
      case "iSndCer":
        this.#limit(timing.capabilitiesTimeoutMs);
        this.#i?.send(
          CapabilitiesExchangeRequest,
          { hopByHop: this.nextHopByHop(), endToEnd: this.#context.nextEndToEnd() },
          { ...ownCapabilities(local, this.#i.localAddress) },
        );
        return;
      case "rSndCea": {
        const { hopByHop, endToEnd } = this.#cer as Header;
        const own = ownCapabilities(local, this.#r?.localAddress ?? "");
        this.#r?.send(
          CapabilitiesExchangeAnswer,
          { hopByHop, endToEnd },
          { resultCode: ResultCode.SUCCESS, ...own },
        );
        return;
      }
      case "elect":
        // §5.6.4: the higher Origin-Host wins, and the winner keeps the connection that it accepted.
        if (local.originHost > (this.#identity?.originHost ?? "")) this.#input("winElection");
        return;
      case "processDwr":
        this.#watchdog.message();
        this.#answerNeighbour(side, DeviceWatchdogAnswer, header);
        return;
      case "processDwa":
        this.#watchdog.dwa();
        return;
      case "sndDpr": {
        const { originHost, originRealm } = local;
        const from = before === "iOpen" ? this.#i : this.#r;
        from?.send(
          DisconnectPeerRequest,
          { hopByHop: this.nextHopByHop(), endToEnd: this.#context.nextEndToEnd() },
          { originHost, originRealm, disconnectCause: this.#cause },
        );
        return;
      }
      case "sndDpa":
        this.#answerNeighbour(side, DisconnectPeerAnswer, this.#dpr);
        return;
      case "iDisc":
        this.#drop("i");
        return;
      case "rDisc":
        this.#drop("r");
        return;
      case "error":
      case "cleanup":
        this.#drop("i");
        this.#drop("r");
        return;
      default:
      // processCer, processCea, processMessage, rAccept, rReject: done where the input came from.
    }
  }

  #entered(before: PeerState, state: PeerState): void {
    if (state === "iOpen" || state === "rOpen") {
      this.#timer?.cancel();
      this.#reconnection.reset();
      this.#log.info({ peer: this.name, address: this.remoteAddress, side: state[0] }, "peer open");
      this.#watchdog.connectionUp();
      this.#context.owner.opened(this);
      return;
    }
    if (before === "iOpen" || before === "rOpen") {
      this.#openUntil = this.#context.clock.monotonic();
      this.#setUsable(false);
      this.#watchdog.connectionDown();
    }
    if (state === "closing") this.#limit(this.#context.timing.disconnectTimeoutMs);
    if (state !== "closed") return;
    this.#timer?.cancel();
    this.#log.debug({ peer: this.name, before }, "peer closed");
    if (before !== "closed") this.#context.owner.closed(this);
    this.#scheduleReconnect();
  }

  #scheduleReconnect(): void {
    if (!this.#stopped && this.options !== undefined) this.#reconnection.schedule(() => this.start());
  }

  #setUsable(usable: boolean): void {
    const open = this.#state === "iOpen" || this.#state === "rOpen";
    if (this.#usable === (usable && open)) return;
    this.#usable = usable && open;
    if (!this.#usable) this.#context.owner.unusable(this);
  }

  #lost(reason: string): void {
    this.#log.warn({ peer: this.name, reason, problemId: diameterProblems.peerLost.id }, "peer lost");
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.dispose();
    this.closed(connection, reason);
  }

  #drop(side: Side): void {
    const connection = side === "i" ? this.#i : this.#r;
    if (side === "i") this.#i = undefined;
    else this.#r = undefined;
    connection?.dispose();
  }

  #limit(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(ms, () => this.#input("timeout"));
  }

  #sendWatchdog(): void {
    const { originHost, originRealm, originStateId } = this.#context.local;
    this.#connection?.send(
      DeviceWatchdogRequest,
      { hopByHop: this.nextHopByHop(), endToEnd: this.#context.nextEndToEnd() },
      { originHost, originRealm, originStateId },
    );
  }

  #answerNeighbour(side: Side, command: Command, header: Header | undefined): void {
    if (header === undefined) return;
    const { originHost, originRealm } = this.#context.local;
    const { hopByHop, endToEnd } = header;
    const connection = side === "i" ? this.#i : this.#r;
    connection?.send(
      command,
      { hopByHop, endToEnd },
      { resultCode: ResultCode.SUCCESS, originHost, originRealm },
    );
  }
}
