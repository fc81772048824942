import type { Clock } from "@ims/runtime";
import { BaseFlow, DeadFlow, type FlowEnds } from "../src/transport/flow.ts";
import type {
  Flow,
  GarbageReason,
  ListeningPoint,
  ListenOptions,
  Target,
  TransportHandler,
  TransportLayer,
  TransportProtocol,
} from "../src/transport/transport.ts";

/** A flow in memory: keeps what is sent, passes on what the test injects. */
export class FakeFlow extends BaseFlow {
  /** Every message sent, oldest first; the test may empty it. */
  readonly sent: string[] = [];
  /** Set on flows that the stack opened, once the layer has a clock: as `TransportLayer` says. */
  ping: (() => boolean) | undefined = undefined;
  lastReceived = 0;
  pongs = 0;
  /** Set by the test. */
  waitedMs: number | undefined = undefined;
  readonly #layer: FakeTransportLayer;

  constructor(ends: FlowEnds, layer: FakeTransportLayer) {
    super(ends);
    this.#layer = layer;
  }

  send(text: string): boolean {
    if (!this.open) return false;
    this.sent.push(text);
    this.#layer.record(text, this);
    return true;
  }

  /** Closes the flow, as the stack or as the peer would: listeners are called in a microtask. */
  close(): void {
    if (this.markClosed()) this.#layer.forget(this);
  }

  /** Whether it was reset. */
  wasReset = false;

  reset(): void {
    this.wasReset = true;
    this.close();
  }

  /** A message of the peer. */
  receive(text: string): void {
    this.#layer.inject(text, this);
  }
}

export interface FakeFlowOptions {
  readonly side?: string;
  readonly protocol?: TransportProtocol;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

export interface SentMessage {
  readonly text: string;
  readonly flow: FakeFlow;
}

/**
 * The transport port in memory. `flow` objects come from `connect` (the peer opened it) or from `flowTo` (the stack did);
 * `refuse` makes targets unreachable. The handler may be set after construction.
 */
export class FakeTransportLayer implements TransportLayer {
  handler: TransportHandler | undefined;
  /** Every message sent on any flow, oldest first; the test may empty it. */
  readonly sent: SentMessage[] = [];
  /** Flows that the stack opened, in order. */
  readonly dialled: FakeFlow[] = [];
  readonly listeningPoints: ListeningPoint[] = [];
  readonly #flows = new Map<number, FakeFlow>();
  readonly #refused = new Set<string>();
  readonly #hung = new Set<string>();
  #clock: Clock | undefined;
  #roundTrip = 1;
  #lastId = 0;
  #lastPort = 40_000;

  constructor(handler?: TransportHandler) {
    this.handler = handler;
  }

  listen(options: ListenOptions): Promise<ListeningPoint> {
    const port = options.port === 0 ? this.#nextPort() : options.port;
    const point = { side: options.side, protocol: options.protocol, host: options.host, port };
    this.listeningPoints.push(point);
    return Promise.resolve(point);
  }

  /** A flow that a peer opened: side "core", UDP, 127.0.0.1:5060 from 127.0.0.1 and a fresh port unless said otherwise. */
  connect(options: FakeFlowOptions = {}): FakeFlow {
    this.#lastId += 1;
    const flow = new FakeFlow(
      {
        id: this.#lastId,
        side: options.side ?? "core",
        protocol: options.protocol ?? "UDP",
        localAddress: options.localAddress ?? "127.0.0.1",
        localPort: options.localPort ?? 5060,
        remoteAddress: options.remoteAddress ?? "127.0.0.1",
        remotePort: options.remotePort ?? this.#nextPort(),
      },
      this,
    );
    this.#flows.set(flow.id, flow);
    return flow;
  }

  flowTo(target: Target, side: string): Flow {
    const { protocol, address: remoteAddress, port: remotePort } = target;
    for (const flow of this.#flows.values()) {
      if (flow.side === side && flow.protocol === protocol && isTo(flow, remoteAddress, remotePort))
        return flow;
    }
    const local = this.listeningPoints.find((point) => point.side === side && point.protocol === protocol);
    const localAddress = local?.host ?? "127.0.0.1";
    const localPort = protocol === "UDP" ? (local?.port ?? 5060) : this.#nextPort();
    const ends = { side, protocol, localAddress, localPort, remoteAddress, remotePort };
    if (this.#refused.has(targetKey(target))) {
      this.#lastId += 1;
      return new DeadFlow({ id: this.#lastId, ...ends });
    }
    const flow = this.connect(ends);
    this.dialled.push(flow);
    if (this.#clock !== undefined && protocol !== "UDP") this.#answerPings(flow, target, this.#clock);
    return flow;
  }

  flow(id: number): FakeFlow | undefined {
    return this.#flows.get(id);
  }

  udpFlow(side: string, localPort: number, remoteAddress: string, remotePort: number): FakeFlow | undefined {
    const known = this.listeningPoints.some(
      (p) => p.side === side && p.protocol === "UDP" && p.port === localPort,
    );
    for (const flow of this.#flows.values()) {
      if (flow.side !== side || flow.protocol !== "UDP" || flow.localPort !== localPort) continue;
      if (isTo(flow, remoteAddress, remotePort)) return flow;
    }
    return known ? this.connect({ side, protocol: "UDP", localPort, remoteAddress, remotePort }) : undefined;
  }

  stop(): Promise<void> {
    for (const flow of [...this.#flows.values()]) flow.close();
    this.listeningPoints.length = 0;
    return Promise.resolve();
  }

  /** A message of the peer on this flow. */
  inject(text: string, flow: FakeFlow): void {
    this.handler?.onMessage(text, flow);
  }

  /** What a stream flow does with bytes that are no SIP message: tells the handler, then closes. */
  injectGarbage(reason: GarbageReason, text: string, flow: FakeFlow): void {
    this.handler?.onGarbage?.(flow, reason, text);
    if (flow.reliable) flow.close();
  }

  /** From now on this target cannot be reached: its flow is closed and new ones are dead. */
  refuse(target: Target): void {
    this.#refused.add(targetKey(target));
    for (const flow of [...this.#flows.values()]) {
      if (flow.protocol === target.protocol && isTo(flow, target.address, target.port)) flow.close();
    }
  }

  /** From now on the far ends of connections that the stack opens answer keep-alives, so many ms later, unless they hang. */
  answerPings(clock: Clock, ms = 1): void {
    this.#clock = clock;
    this.#roundTrip = ms;
  }

  /** The target reads nothing any more; its connections stay open. */
  hang(target: Target): void {
    this.#hung.add(targetKey(target));
  }

  wake(target: Target): void {
    this.#hung.delete(targetKey(target));
  }

  #answerPings(flow: FakeFlow, target: Target, clock: Clock): void {
    const answer = (): void => {
      if (!flow.open) return;
      if (this.#hung.has(targetKey(target))) clock.setTimer(50, answer);
      else {
        flow.lastReceived = clock.monotonic();
        flow.pongs += 1;
      }
    };
    flow.lastReceived = clock.monotonic();
    flow.ping = () => {
      clock.setTimer(this.#roundTrip, answer);
      return flow.open;
    };
  }

  allow(target: Target): void {
    this.#refused.delete(targetKey(target));
  }

  /** Everything sent since the last call, oldest first. */
  takeSent(): SentMessage[] {
    return this.sent.splice(0);
  }

  /** Called by the flows. */
  record(text: string, flow: FakeFlow): void {
    this.sent.push({ text, flow });
  }

  /** Called by the flows. */
  forget(flow: FakeFlow): void {
    this.#flows.delete(flow.id);
  }

  #nextPort(): number {
    this.#lastPort += 1;
    return this.#lastPort;
  }
}

function isTo(flow: Flow, address: string, port: number): boolean {
  return flow.remoteAddress === address && flow.remotePort === port;
}

function targetKey(target: Target): string {
  return `${target.protocol}|${target.address}|${target.port}`;
}
