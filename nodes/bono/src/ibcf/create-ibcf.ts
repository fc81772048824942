import type { KeyObject } from "node:crypto";
import type { ChargingTriggers } from "@ims/ims";
import { FollowedFile, type ServiceModules, watchFile } from "@ims/runtime";
import { hostForUri, type ListenOptions, type ProxyCore, type Uri } from "@ims/sip";
import { BonoError } from "../errors.ts";
import type { BonoOptions } from "../options.ts";
import { bonoProblems } from "../problems.ts";
import { Ibcf } from "./ibcf.ts";
import { getIbcfMetrics } from "./metrics.ts";
import { type IbcfUris, ibcfUris } from "./own-uris.ts";
import { makePeers } from "./peers.ts";
import { peersFile } from "./peers-file.ts";
import { TopologyHiding } from "./topology-hiding.ts";
import { Trunks } from "./trunks.ts";

export interface IbcfParts {
  readonly options: BonoOptions;
  readonly icscf: Uri;
  /** "host:port;transport=tcp" of the trusted side, once it is open. */
  readonly coreHostPort: () => string;
  readonly icidHost: string;
  /** Key of the pool. */
  readonly key: KeyObject;
  /** Which URIs are the P-CSCF's. */
  readonly node: { sideOf(uri: Uri): "access" | "core" | undefined };
  readonly core: () => ProxyCore;
  readonly newIcid: () => string;
  readonly charging: ChargingTriggers | undefined;
  readonly mayUseCore: (address: string) => boolean;
  readonly hasSiblings: () => boolean;
}

/** The IBCF of a node, and what is to be started and stopped with it. */
export interface IbcfService {
  readonly ibcf: Ibcf;
  readonly own: IbcfUris;
  /** Opens its listeners; `listen` gives the port. */
  start(
    listen: (name: string, point: ListenOptions) => Promise<number>,
    tls: ListenOptions["tls"],
  ): Promise<void>;
  stop(): void;
}

/** Composes the IBCF over the file of its peers. Throws BonoError. */
export function createIbcf(
  {
    options,
    icscf,
    coreHostPort,
    icidHost,
    key,
    node,
    core,
    newIcid,
    charging,
    mayUseCore,
    hasSiblings,
  }: IbcfParts,
  { clock, log, register, health }: Pick<ServiceModules, "clock" | "log" | "register" | "health">,
): IbcfService {
  const host = bare(options.ibcfHost === "" ? options.host : options.ibcfHost);
  const uriHost = options.ibcfAdvertisedHost === "" ? host : bare(options.ibcfAdvertisedHost);
  if (uriHost === "0.0.0.0" || uriHost === "::")
    throw new BonoError({
      code: "BONO_IBCF_ADDRESS",
      problem: `the side of the peers is bound to ${uriHost}: give its address with --ibcf-advertised-host or --ibcf-host`,
    });
  const peers = new FollowedFile(
    {
      file: options.ibcfPeersFile,
      what: "peers of the IBCF",
      schema: peersFile,
      make: makePeers,
      fault: (file, problem, cause) =>
        new BonoError(
          { code: "BONO_PEERS_FILE", file, problem },
          cause === undefined ? undefined : { cause },
        ),
    },
    { clock, log },
  );
  const trunks = new Trunks({
    peers,
    clock,
    log,
    homeDomain: options.homeDomain,
    originate: (request, destination, handler) => core().originate(request, destination, handler),
    tag: () => core().identifiers.tag(),
  });
  health.addNote("ibcfPeers", () => peers.problem);
  watchFile(health.alarms, options.ibcfPeersFile, peers);
  health.alarms.watch(bonoProblems.networkUnreachable, () =>
    trunks.unreachable().map((object) => ({ object, text: "no target answers" })),
  );
  health.addNote("ibcfTargets", () => {
    const names = trunks.unreachable();
    return names.length === 0 ? undefined : `no target answers: ${names.join(", ")}`;
  });
  const ports = new Set<number>();
  let port = options.ibcfPort;
  let tlsPort = options.ibcfTlsPort;
  const own = ibcfUris({ hosts: new Set([host, uriHost]), ports, node });
  const ibcf = new Ibcf({
    settings: {
      homeDomain: options.homeDomain,
      homeDomains: new Set([options.homeDomain]),
      icscf,
      ioi: options.homeDomain,
      icidHost,
      get coreHostPort() {
        return coreHostPort();
      },
      peerHostPort: (transport) => {
        const parameter = transport === "" || transport === "udp" ? "" : `;transport=${transport}`;
        return `${hostForUri(uriHost)}:${transport === "tls" ? tlsPort : port}${parameter}`;
      },
      hasSiblings,
    },
    peers,
    trunks,
    hiding: new TopologyHiding({ key, network: options.homeDomain }),
    own,
    newIcid,
    charging,
    counters: getIbcfMetrics(register, { targetsDown: () => trunks.down }),
    mayUseCore,
    isCoreHost: (name) => name === icscf.host || options.coreNextHops.includes(name),
  });
  return {
    ibcf,
    own,
    async start(listen, tls) {
      const point = { side: "peer", host } as const;
      // TCP first: a port that the system chooses is free for UDP far more often than the other way round.
      port = await listen("ibcf-tcp", { ...point, protocol: "TCP", port: options.ibcfPort });
      ports.add(port);
      await listen("ibcf-udp", { ...point, protocol: "UDP", port });
      if (tls !== undefined) {
        tlsPort = await listen("ibcf-tls", { ...point, protocol: "TLS", port: options.ibcfTlsPort, tls });
        ports.add(tlsPort);
      }
      peers.start();
      trunks.start();
    },
    stop() {
      peers.stop();
      trunks.stop();
    },
  };
}

function bare(text: string): string {
  return text.replace(/^\[|\]$/g, "").toLowerCase();
}
