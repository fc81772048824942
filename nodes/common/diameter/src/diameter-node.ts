import net from "node:net";
import tls from "node:tls";
import { coreTlsServer, runtimeProblems } from "@ims/runtime";
import { DisconnectCauseValue } from "./base/avps.ts";
import { base } from "./base/commands.ts";
import type { Application, CommandPair } from "./codec/command.ts";
import { Dictionary } from "./codec/command.ts";
import { MAX_MESSAGE_LENGTH } from "./codec/encode.ts";
import { addressBytes } from "./codec/formats.ts";
import { DiameterError } from "./errors.ts";
import type { Handler, Outcome, PeerInfo, RequestAvps, RequestOptions } from "./exchange.ts";
import { endToEndIdentifiers, sessionIds } from "./identifiers.ts";
import { getMetrics } from "./metrics.ts";
import { type DiameterNodeOptions, defaultTiming, type ListenOptions } from "./options.ts";
import { Acceptor } from "./peer/acceptor.ts";
import type { LocalNode, PeerIdentity } from "./peer/capabilities.ts";
import { Connection, type ConnectionOptions } from "./peer/connection.ts";
import { Peer, type PeerOptions } from "./peer/peer.ts";
import type { PeerContext } from "./peer/peer-context.ts";
import { PeerTable } from "./peer/peer-table.ts";
import { type RawOutcome, RequestRouter } from "./request-router.ts";
import { type RawHandler, Responder } from "./responder.ts";
import { DiameterTrail } from "./trail/diameter-trail.ts";

const HANDSHAKE_TIMEOUT_MS = 5_000;
const DEFAULT_TRY_MS = 1_000;
/** A second try at another peer ends before the SIP client's retransmission gives up on us: under 2 s in all. */
const TOTAL_TRIES = 1.9;

/** A Diameter node (RFC 6733): client and server, over TCP and TLS. */
export class DiameterNode {
  readonly #options: DiameterNodeOptions;
  readonly #context: PeerContext;
  readonly #peers = new PeerTable();
  readonly #router: RequestRouter;
  readonly #responder: Responder;
  readonly #acceptor: Acceptor;
  readonly #connectionOptions: ConnectionOptions;
  readonly #applications: ReadonlyMap<number, Application>;
  readonly #servers = new Set<net.Server>();
  readonly #nextSessionId: () => string;
  /** Of peers that were removed while they were connected. */
  readonly #removed = new WeakSet<Peer>();
  #started = false;
  #stopping = false;
  #stopped = false;
  readonly #closed: Promise<unknown>[] = [];
  #onPeersChanged: (() => void)[] = [];

  constructor(options: DiameterNodeOptions) {
    const { clock, log, applications, originHost, originRealm } = options;
    for (const address of options.hostAddresses ?? []) {
      if (addressBytes(address) === undefined) {
        throw new DiameterError({
          code: "DIAMETER_VALUE",
          avp: "Host-IP-Address",
          expected: "an IP address",
        });
      }
    }
    this.#options = options;
    this.#applications = new Map(applications.map((application) => [application.id, application]));
    const random = options.random ?? Math.random;
    const local: LocalNode = {
      originHost,
      originRealm,
      productName: options.productName,
      vendorId: options.vendorId ?? 0,
      hostAddresses: options.hostAddresses ?? [],
      applications,
      originStateId: Math.floor(clock.now() / 1000),
    };
    const dictionary = new Dictionary([base, ...applications]);
    const metrics = getMetrics({
      ...(options.register === undefined ? {} : { register: options.register }),
      prefix: options.metricsPrefix ?? "ims_diameter",
      applications,
      openPeers: () => this.#peers.openCount,
    });
    const trail = options.trail && new DiameterTrail(options.trail, dictionary);
    const nextEndToEnd = endToEndIdentifiers(clock.now(), random);
    this.#nextSessionId = sessionIds(originHost, clock.now());
    this.#connectionOptions = {
      clock,
      maxMessageLength: options.maxMessageLength ?? MAX_MESSAGE_LENGTH,
      maxBacklog: 1024 * 1024,
      ...(options.pacer === undefined ? {} : { pacer: options.pacer }),
      trail,
    };
    this.#router = new RequestRouter({
      clock,
      log,
      metrics,
      dictionary,
      peers: this.#peers,
      maxPending: options.maxPending ?? 100_000,
      nextEndToEnd,
      trail,
      applicationName: (id) => this.#applications.get(id)?.name ?? "diameter",
    });
    this.#responder = new Responder({
      clock,
      local,
      dictionary,
      metrics,
      log,
      maxInWork: options.maxInWork ?? 10_000,
    });
    const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
    this.#context = {
      local,
      dictionary,
      clock,
      random,
      metrics,
      timing: { ...defaultTiming, ...options.timing },
      nextEndToEnd,
      trail,
      connect: (endpoint, handler) =>
        Connection.connect(endpoint, readBuffer, this.#connectionOptions, handler),
      owner: {
        opened: (peer) => this.#opened(peer),
        unusable: (peer) => this.#router.failover(peer),
        closed: (peer) => this.#peerClosed(peer),
        duplicate: (peer) => this.#duplicate(peer),
        request: (peer, connection, bytes, start, end) =>
          this.#responder.request(peer, connection, bytes, start, end),
        answer: (peer, header, bytes, start, end) => this.#router.answer(peer, header, bytes, start, end),
        whenIdle: (connection, done) => this.#responder.whenIdle(connection, done),
        refuse: (connection, header, fault, avps) => this.#responder.refuse(connection, header, fault, avps),
      },
    };
    this.#acceptor = new Acceptor({
      context: this.#context,
      log,
      admits: options.admits ?? (() => true),
      adopt: (connection, cer, identity) => this.#adopt(connection, cer, identity),
    });
  }

  /** Accepts peers; returns the port. Throws DIAMETER_LISTEN when the address cannot be had. */
  listen(options: ListenOptions): Promise<number> {
    const { host, port } = options;
    const accept = (socket: net.Socket): void => {
      this.#acceptor.accepted(Connection.accepted(socket, this.#connectionOptions, this.#acceptor));
    };
    const server =
      options.coreTls !== undefined
        ? coreTlsServer(options.coreTls, HANDSHAKE_TIMEOUT_MS, accept)
        : options.tls === undefined
          ? net.createServer(accept)
          : tls.createServer({ handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ...options.tls }, accept);
    // A TLS handshake that fails is the peer's affair.
    server.on("tlsClientError", (error: Error) => {
      this.#options.log.debug({ reason: error.message }, "TLS handshake failed");
    });
    return new Promise((resolve, reject) => {
      server.once("error", (cause) => {
        reject(new DiameterError({ code: "DIAMETER_LISTEN", host, port }, { cause }));
      });
      server.listen({ host, port }, () => {
        server.removeAllListeners("error");
        server.on("error", (err) =>
          this.#options.log.error({ err, problemId: runtimeProblems.listenerFailed.id }, "listener"),
        );
        this.#servers.add(server);
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  /** A peer to connect to; before or after `start`. */
  addPeer(options: PeerOptions): void {
    const peer = new Peer(this.#context, options, this.#options.log);
    this.#peers.add(peer);
    if (this.#started) peer.start();
  }

  /**
   * Ends with a peer that was added: it gets no more requests, those it has go to another one, and it is told goodbye
   * (RFC 6733 §5.4). False when there is none at that place.
   */
  removePeer({ host, port }: Pick<PeerOptions, "host" | "port">): boolean {
    const found = [...this.#peers.all].filter(
      (peer) => peer.options?.host === host && peer.options.port === port && !this.#removed.has(peer),
    );
    for (const peer of found) {
      this.#removed.add(peer);
      const idle = peer.state === "closed";
      peer.stop(DisconnectCauseValue.DO_NOT_WANT_TO_TALK_TO_YOU);
      if (idle) this.#peers.delete(peer);
    }
    return found.length > 0;
  }

  /** Connects to the configured peers, and keeps connecting. Does not wait for them. */
  start(): void {
    this.#started = true;
    for (const peer of this.#peers.all) peer.start();
  }

  /**
   * Takes no new peers, says DPR (RFC 6733 §5.4: REBOOTING) to those there are, and answers what they have sent before it
   * disconnects. Resolves when all are gone, at the latest when the signal aborts.
   */
  async quiesce(signal: AbortSignal): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      for (const server of this.#servers) this.#closed.push(new Promise((resolve) => server.close(resolve)));
      this.#acceptor.stop();
      for (const peer of [...this.#peers.all]) peer.stop();
    }
    const wake = (): void => this.#peersChanged();
    signal.addEventListener("abort", wake, { once: true });
    await this.#until(() => signal.aborted || this.openPeers === 0);
    signal.removeEventListener("abort", wake);
  }

  /** Peers whose connection has not ended yet. */
  get openPeers(): number {
    return [...this.#peers.all].filter(({ state }) => state !== "closed").length;
  }

  /** As `quiesce`, waits for the peers at most the disconnect timeout, and closes everything. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#stopping) for (const peer of [...this.#peers.all]) peer.abandon();
    await this.quiesce(new AbortController().signal);
    this.#router.stop();
    await Promise.all(this.#closed);
  }

  /** Is there a peer that can be asked? With a host: is it that one. */
  isConnected(originHost?: string): boolean {
    if (originHost !== undefined) return this.#peers.byHost(originHost)?.usable ?? false;
    for (const peer of this.#peers.all) if (peer.usable) return true;
    return false;
  }

  /** The peers that can be asked now. */
  get connectedPeers(): readonly PeerInfo[] {
    return [...this.#peers.all].filter(({ usable }) => usable).map(infoOf);
  }

  /** Configured peers that are not connected, by name or place. */
  get awayPeers(): readonly string[] {
    return [...this.#peers.all]
      .filter((peer) => peer.options !== undefined && !this.#removed.has(peer))
      .filter(({ state }) => state !== "iOpen" && state !== "rOpen")
      .map(({ name }) => name);
  }

  /** Resolves when `isConnected(originHost)`; false when it is not within `timeoutMs`. */
  async whenConnected(timeoutMs: number, originHost?: string): Promise<boolean> {
    let late = false;
    const timer = this.#options.clock.setTimer(timeoutMs, () => {
      late = true;
      this.#peersChanged();
    });
    await this.#until(() => late || this.isConnected(originHost));
    timer.cancel();
    return this.isConnected(originHost);
  }

  /** Sends a request. The promise never rejects for anything that peers or networks do. */
  request<P extends CommandPair>(
    pair: P,
    avps: RequestAvps<P>,
    options: RequestOptions,
  ): Promise<Outcome<P>> {
    return new Promise((resolve) => this.requestWith(pair, avps, options, resolve));
  }

  /** `request` without a promise, for the hot path. `done` is called once, maybe before this returns. */
  requestWith<P extends CommandPair>(
    pair: P,
    avps: RequestAvps<P>,
    options: RequestOptions,
    done: (outcome: Outcome<P>) => void,
  ): void {
    const { originHost, originRealm } = this.#options;
    const { destinationRealm, destinationHost, timeoutMs: tryMs = DEFAULT_TRY_MS } = options;
    const { applicationId } = pair.request;
    const vendorId = this.#applications.get(applicationId)?.vendorId ?? 0;
    const all = {
      ...avps,
      sessionId: options.sessionId ?? this.#nextSessionId(),
      vendorSpecificApplicationId:
        vendorId === 0 ? undefined : { vendorId, authApplicationId: applicationId },
      // NO_STATE_MAINTAINED: TS 29.229 §5.2.
      authSessionState: 1,
      originHost,
      originRealm,
      destinationRealm,
      destinationHost,
    };
    this.#router.send(
      pair,
      all,
      { applicationId, destinationRealm, destinationHost },
      { tryMs, totalMs: tryMs * TOTAL_TRIES },
      options.retransmission === true,
      done as (outcome: RawOutcome) => void,
    );
  }

  /** Answers the requests of a command. A handler that throws or rejects costs its peer a 5012, nothing else. */
  handle<P extends CommandPair>(pair: P, handler: Handler<P>): void {
    const raw = handler as unknown as (request: unknown, peer: PeerInfo) => ReturnType<RawHandler>;
    this.#responder.handle(pair, (request, peer) => raw(request, infoOf(peer)));
  }

  #adopt(connection: Connection, cer: Parameters<Peer["accept"]>[1], identity: PeerIdentity): boolean {
    if (this.#stopping) return false;
    const known = this.#peers.byHost(identity.originHost);
    const peer = known ?? new Peer(this.#context, undefined, this.#options.log);
    if (known === undefined) this.#peers.add(peer);
    if (peer.accept(connection, cer, identity)) return true;
    if (known === undefined) this.#peers.delete(peer);
    return false;
  }

  #opened(peer: Peer): void {
    this.#peers.identified(peer);
    this.#router.opened();
    this.#peersChanged();
  }

  #peerClosed(peer: Peer): void {
    this.#router.disconnected(peer);
    if (peer.options === undefined || this.#removed.has(peer)) this.#peers.delete(peer);
    this.#peersChanged();
  }

  /** RFC 6733 §5.6.4, late: both sides connected before either knew the other's name. */
  #duplicate(peer: Peer): boolean {
    const host = peer.identity?.originHost;
    if (host === undefined) return false;
    const other = this.#peers.byHost(host);
    if (other === undefined || other === peer) return false;
    return other.state === "iOpen" || (other.state === "rOpen" && this.#options.originHost > host);
  }

  #peersChanged(): void {
    const waiting = this.#onPeersChanged;
    this.#onPeersChanged = [];
    for (const resume of waiting) resume();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#onPeersChanged.push(resolve));
  }
}

function infoOf(peer: Peer): PeerInfo {
  const { originHost = "", originRealm = "" } = peer.identity ?? {};
  return { originHost, originRealm, remoteAddress: peer.remoteAddress };
}
