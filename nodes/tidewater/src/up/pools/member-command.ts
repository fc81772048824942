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
}

export function hostOf(network: string, kind: PoolName | StoreName, index: number): string {
  return `${network}.${NET[kind]}.${index}`;
}

/** host:port of the first `count` processes of a store. */
export function storeAddresses(network: string, store: StoreName, count: number): string[] {
  const port = store === "memcached" ? MEMCACHED_PORT : CQL_PORT;
  return Array.from({ length: count }, (_, i) => `${hostOf(network, store, i + 1)}:${port}`);
}

/** How one member of a pool is started: everything on its own address, on the usual ports. */
export function memberCommand(pool: PoolName, index: number, settings: PoolSettings): NodeCommand {
  const { network, domain, stateDir, poolsFile, logLevel, keys, memcachedFile, cassandra } = settings;
  const host = hostOf(network, pool, index);
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
      const own = ["--advertised-host", name, "--hss-pool", `homestead.${domain}`, ...cx];
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
      const own = ["--core-advertised-host", name, "--icscf-uri", icscf];
      const env = { TIDEWATER_BONO_FLOW_TOKEN_KEY: keys.flowTokenKey };
      return { name: pool, args: [...common, ...own, ...tls, ...sip, ...set], env };
    }
  }
}

function coreTlsOptions(authority: LabAuthority, member: string): string[] {
  const { certificate, key, ca } = authority.filesOf(member);
  return ["--core-tls-certificate", certificate, "--core-tls-key", key, "--core-tls-ca", ca];
}
