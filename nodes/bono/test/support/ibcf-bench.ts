import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { type ChargingEvent, ChargingTriggers } from "@ims/ims";
import { type FakeClock, fakeClock, memoryLogger } from "@ims/runtime/testing";
import { ProxyCore, parseUri, type Target, type TransactionTimers, type Uri } from "@ims/sip";
import { type FakeFlow, FakeTransportLayer } from "@ims/sip/testing";
import { Ibcf } from "../../src/ibcf/ibcf.ts";
import type { Direction, IbcfModules, IbcfRefusal } from "../../src/ibcf/modules.ts";
import { ibcfUris } from "../../src/ibcf/own-uris.ts";
import { makePeers, type PeerTable } from "../../src/ibcf/peers.ts";
import { peersFile } from "../../src/ibcf/peers-file.ts";
import { TopologyHiding } from "../../src/ibcf/topology-hiding.ts";
import { Trunks } from "../../src/ibcf/trunks.ts";
import { ownUris } from "../../src/pcscf/own-uris.ts";
import { parsed, type Sent, uri } from "./pcscf-bench.ts";

export const BORDER = "192.0.2.9";
export const CORE = "10.0.0.1";
export const SPROUT = "10.0.0.2";
export const CARRIER = "203.0.113.10";
export const CARRIER_2 = "203.0.113.11";
export const PBX = "203.0.113.20";

/** One inside the trust domain with two targets, one outside it, and one without targets. */
export const PEERS = {
  peers: [
    {
      name: "carrier",
      domains: ["carrier.example"],
      targets: [`sip:${CARRIER}:5060`, `sip:${CARRIER_2}:5060`],
      trusted: true,
      options_seconds: 0,
    },
    {
      name: "pbx",
      domains: ["pbx.example"],
      targets: [`sip:${PBX}:5060;transport=udp`],
      ioi: "pbx.example",
      options_seconds: 0,
    },
    { name: "open" },
  ],
};

export interface IbcfBenchOptions {
  readonly peers?: unknown;
  readonly key?: Uint8Array;
  readonly timers?: TransactionTimers;
  /** Charging events are made. */
  readonly charges?: boolean;
}

/** An IBCF on the real proxy core over transports in memory, with sprout and the peers played by the test. */
export class IbcfBench {
  readonly clock: FakeClock = fakeClock();
  readonly transport = new FakeTransportLayer();
  readonly core: ProxyCore;
  readonly entity: Ibcf;
  readonly trunks: Trunks;
  readonly modules: IbcfModules;
  readonly refusals: IbcfRefusal[] = [];
  readonly routed: Direction[] = [];
  readonly defects: unknown[] = [];
  readonly charged: ChargingEvent[] = [];
  readonly log = memoryLogger("silent");
  failovers = 0;
  table: PeerTable;
  #branch = 0;
  #tags = 0;

  constructor(options: IbcfBenchOptions = {}) {
    this.table = peersOf(options.peers ?? PEERS);
    const peers = { table: this.table };
    const { transport, clock } = this;
    for (const protocol of ["UDP", "TCP"] as const)
      transport.listeningPoints.push({ side: "peer", protocol, host: BORDER, port: 5070 });
    transport.listeningPoints.push({ side: "core", protocol: "TCP", host: CORE, port: 5058 });
    const node = ownUris({
      hosts: new Set([CORE, "192.0.2.1"]),
      accessPorts: new Set([5060]),
      corePorts: new Set([5058]),
    });
    this.trunks = new Trunks({
      peers,
      clock,
      log: this.log,
      originate: (request, destination, handler) => this.core.originate(request, destination, handler),
      tag: () => `tag${++this.#tags}`,
      homeDomain: "example.com",
    });
    let icid = 0;
    this.modules = {
      settings: {
        homeDomain: "example.com",
        homeDomains: new Set(["example.com"]),
        icscf: uri(`sip:${SPROUT}:5052;transport=tcp`),
        ioi: "example.com",
        icidHost: CORE,
        coreHostPort: `${CORE}:5058;transport=tcp`,
        peerHostPort: (transport) =>
          `${BORDER}:5070${transport === "" || transport === "udp" ? "" : `;transport=${transport}`}`,
        hasSiblings: () => false,
      },
      peers,
      trunks: this.trunks,
      hiding: new TopologyHiding({
        key: createSecretKey(options.key ?? Buffer.alloc(32, 7)),
        network: "example.com",
      }),
      own: ibcfUris({ hosts: new Set([BORDER]), ports: new Set([5070]), node }),
      newIcid: () => `icid${++icid}`,
      charging:
        options.charges === true
          ? new ChargingTriggers({
              node: "IBCF",
              nodeAddress: CORE,
              methods: ["INVITE"],
              now: () => clock.now(),
              emit: (event) => void this.charged.push(event),
            })
          : undefined,
      counters: {
        request: (direction, outcome) => {
          if (outcome === "routed") this.routed.push(direction);
        },
        refused: (why) => void this.refusals.push(why),
        failover: () => void this.failovers++,
      },
      mayUseCore: (address) => address.startsWith("10."),
      isCoreHost: (host) => host === SPROUT,
    };
    this.entity = new Ibcf(this.modules);
    const { entity } = this;
    this.core = new ProxyCore({
      sides: [
        { name: "peer", entity, strict: true },
        { name: "core", entity, strict: false },
      ],
      clock,
      locator: {
        locate: (target: Uri): Target[] => [
          {
            protocol: target.parameters.get("transport")?.toLowerCase() === "tcp" ? "TCP" : "UDP",
            address: target.host,
            port: target.port ?? 5060,
          },
        ],
        failed: () => undefined,
      },
      transport: (handler) => {
        transport.handler = handler;
        return transport;
      },
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      udpLimit: 65_000,
      onDefect: (error) => void this.defects.push(error),
    });
  }

  /** The connection of sprout to our trusted side. */
  sprout(): FakeFlow {
    return this.transport.connect({
      side: "core",
      protocol: "TCP",
      localAddress: CORE,
      localPort: 5058,
      remoteAddress: SPROUT,
      remotePort: 45_000,
    });
  }

  /** Datagrams of a peer. */
  peer(remoteAddress = CARRIER, remotePort = 5060): FakeFlow {
    return this.transport.connect({
      side: "peer",
      protocol: "UDP",
      localAddress: BORDER,
      localPort: 5070,
      remoteAddress,
      remotePort,
    });
  }

  /** A request on a flow; what it made the IBCF send. */
  request(flow: FakeFlow, options: BorderRequest): Sent[] {
    const method = options.method ?? "INVITE";
    const body = options.body ?? "";
    const text = [
      `${method} ${options.uri ?? "sip:bob@example.com"} SIP/2.0`,
      ...(options.vias ?? [
        `Via: SIP/2.0/${flow.protocol} ${flow.remoteAddress}:${flow.remotePort};branch=z9hG4bKb${++this.#branch};rport`,
      ]),
      "Max-Forwards: 70",
      `From: ${options.from ?? "<sip:alice@example.com>"};tag=f1`,
      `To: ${options.to ?? "<sip:bob@carrier.example>"}`,
      `Call-ID: ${options.callId ?? "call1"}`,
      `CSeq: ${options.cseq ?? 1} ${method}`,
      `Contact: ${options.contact ?? "<sip:alice@198.51.100.7:5060>"}`,
      ...(options.headers ?? []),
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n");
    this.transport.takeSent();
    flow.receive(text);
    assert.deepEqual(this.defects, []);
    return this.sent();
  }

  /** The peer of what was sent answers it on the same flow, Record-Route as it came unless told otherwise. */
  answer(to: Sent, status: number, headers: readonly string[] = [], body = ""): Sent[] {
    const { message, flow } = to;
    const text = [
      `SIP/2.0 ${status} Whatever`,
      ...message.values("Via").map((via) => `Via: ${via}`),
      ...(headers.some((line) => line.startsWith("Record-Route"))
        ? []
        : message.values("Record-Route").map((route) => `Record-Route: ${route}`)),
      `From: ${message.header("From")}`,
      `To: ${message.header("To")}${message.toTag === "" ? ";tag=t1" : ""}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${message.header("CSeq")}`,
      ...headers,
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n");
    this.transport.takeSent();
    flow.receive(text);
    assert.deepEqual(this.defects, []);
    return this.sent();
  }

  sent(): Sent[] {
    return this.transport.takeSent().map(({ text, flow }) => ({ message: parsed(text), flow, text }));
  }
}

export interface BorderRequest {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly vias?: readonly string[];
  readonly contact?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

export function peersOf(content: unknown): PeerTable {
  const made = makePeers(peersFile.parse(content));
  return made.kind === "table" ? made.table : assert.fail(made.problem);
}

/** What a request of sprout to the IBCF has: Vias and Record-Routes of the network behind it. Another number, another transaction. */
export function fromInside(number = 1): {
  readonly vias: readonly string[];
  readonly headers: readonly string[];
} {
  return {
    vias: [
      `Via: SIP/2.0/TCP ${SPROUT}:5054;branch=z9hG4bKscscf${number}`,
      `Via: SIP/2.0/TCP pcscf.inside.example:5058;branch=z9hG4bKpcscf${number}`,
      `Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKue${number};rport=5060;received=198.51.100.7`,
    ],
    headers: [
      `Record-Route: <sip:odi.1@${SPROUT}:5054;transport=tcp;lr>`,
      "Record-Route: <sip:pcscf.inside.example:5058;transport=tcp;lr>, <sip:tok@192.0.2.1:5060;lr>",
    ],
  };
}

/** The host of every URI that a Route header field of a message names. */
export function routesOf(message: { values(name: "Route"): readonly string[] }): string[] {
  return message.values("Route").map((value) => parseUri(value.replace(/^<|>.*$/g, ""))?.host ?? value);
}
