import { isLoopback } from "@ims/runtime";
import type { NodeCommand, NodeOption } from "../nodes.ts";
import type { PoolKeys } from "./keys.ts";
import type { LabAuthority } from "./lab-authority.ts";
import type { PoolName, StoreName } from "./request.ts";

/** Third number of the addresses: 127.0.2.1 is sprout-1. */
const NET = { bono: 1, sprout: 2, homestead: 3, memcached: 4, cassandra: 5 } as const;
export const MEMCACHED_PORT = 11_211;
const CQL_PORT = 9_042;

/** What all members have in common. */
export interface PoolSettings {
  /** First two numbers of all addresses: 127.0. */
  readonly network: string;
  readonly domain: string;
  readonly stateDir: string;
  readonly poolsFile: string;
  readonly seedExamples: boolean;
  readonly logLevel: string;
  readonly set: readonly NodeOption[];
  readonly keys: PoolKeys;
  /** File with the memcached servers; "": there are none. */
  readonly memcachedFile: string;
  /** host:port of each; empty: the store is not used. */
  readonly cassandra: readonly string[];
  /** Everything inside the core is spoken over TLS. */
  readonly authority?: LabAuthority | undefined;
  /** Bonos and sprouts run in workers, which share the address of the access side. */
  readonly workers?: WorkerSettings | undefined;
}

export interface WorkerSettings {
  /** Address of the access side. */
  readonly host: string;
  /** Descriptors of the UDP sockets of the access side, one for each worker; empty: workers open their own. */
  readonly udpSockets: readonly number[];
}

/** What a worker has its UDP socket as: after standard input, output and error and the IPC channel. */
const UDP_SOCKET = 4;

export function hostOf(network: string, kind: PoolName | StoreName, index: number): string {
  return `${network}.${NET[kind]}.${index}`;
}

/** host:port of the first `count` processes of a store. */
export function storeAddresses(network: string, store: StoreName, count: number): string[] {
  const port = store === "memcached" ? MEMCACHED_PORT : CQL_PORT;
  return Array.from({ length: count }, (_, i) => `${hostOf(network, store, i + 1)}:${port}`);
}

/** Where a member is. With workers the first homestead is where a single one is, so that its API is found there. */
export function addressOf({ network, workers }: PoolSettings, pool: PoolName, index: number): string {
  if (workers === undefined || pool !== "homestead" || index > 1) return hostOf(network, pool, index);
  return isLoopback(workers.host) ? workers.host : "127.0.0.1";
}

/** How one member of a pool is started: everything on its own address, on the usual ports. */
export function memberCommand(pool: PoolName, index: number, settings: PoolSettings): NodeCommand {
  const { domain, stateDir, poolsFile, logLevel, keys, memcachedFile, cassandra } = settings;
  const host = addressOf(settings, pool, index);
  const member = `${pool}-${index}`;
  const name = `${member}.${pool}.${domain}`;
  const common = [
    ...["--host", host, "--management-address", host, "--home-domain", domain, "--pools-file", poolsFile],
    ...["--log-level", logLevel, "--quiesce-seconds", "3"],
  ];
  const tls = settings.authority === undefined ? [] : coreTlsOptions(settings.authority, member);
  const sip = settings.authority === undefined ? [] : ["--core-tls", "require"];
  const stored = settings.authority === undefined ? [] : ["--cassandra-tls", "true"];
  const rows = cassandra.length > 0 ? ["--cassandra", cassandra.join(","), ...stored] : [];
  const worker = settings.workers === undefined ? [] : ["--worker", String(index)];
  const set = settings.set
    .filter(({ node }) => node === pool || node === member)
    .flatMap(({ option, value }) => [`--${option}`, value]);
  switch (pool) {
    case "homestead": {
      const examples = settings.seedExamples && index === 1 ? ["--seed-examples", "true"] : [];
      const own = ["--diameter-host", name, "--state-dir", stateDir];
      return { name: pool, args: [...common, ...own, ...examples, ...rows, ...tls, ...sip, ...set] };
    }
    case "sprout": {
      const cx = settings.authority === undefined ? [] : ["--hss-tls", "true"];
      const own = ["--advertised-host", name, "--hss-pool", `homestead.${domain}`, ...cx, ...worker];
      const cached = settings.authority === undefined ? [] : ["--memcached-tls", "true"];
      const cache = memcachedFile === "" ? [] : ["--memcached-file", memcachedFile, ...cached];
      // One sprout alone keeps registrations in a file.
      const file = memcachedFile === "" && cassandra.length === 0 ? ["--state-dir", stateDir] : [];
      const env = { TIDEWATER_SPROUT_GRUU_KEY: keys.gruuKey };
      return {
        name: pool,
        args: [...common, ...own, ...cache, ...rows, ...file, ...tls, ...sip, ...set],
        env,
      };
    }
    case "bono": {
      const icscf = `sip:icscf.sprout.${domain};transport=tcp`;
      const own = [
        "--core-advertised-host",
        name,
        "--icscf-uri",
        icscf,
        ...worker,
        ...access(settings, index),
      ];
      const env = { TIDEWATER_BONO_FLOW_TOKEN_KEY: keys.flowTokenKey };
      return { name: pool, args: [...common, ...own, ...tls, ...sip, ...set], env };
    }
  }
}

/** The access side that workers share; what one of them begins goes to the sprout of its own process first. */
function access({ workers, network, domain }: PoolSettings, index: number): string[] {
  if (workers === undefined) return [];
  const { host, udpSockets } = workers;
  return [
    ...["--host", host, "--core-host", hostOf(network, "bono", index), "--shared-access", "true"],
    ...(udpSockets.length === 0 ? [] : ["--access-udp-socket", String(UDP_SOCKET)]),
    ...["--near-members", `sprout-${index}.sprout.${domain}`],
  ];
}

function coreTlsOptions(authority: LabAuthority, member: string): string[] {
  const { certificate, key, ca } = authority.filesOf(member);
  return ["--core-tls-certificate", certificate, "--core-tls-key", key, "--core-tls-ca", ca];
}
