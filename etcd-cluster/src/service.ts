import { readFileSync } from "node:fs";
import { type Clock, composeServices, parsePoolsFile, type Service, type ServiceModules } from "@ims/runtime";
import { RingManager } from "./cluster-manager/cassandra/ring-manager.ts";
import { ClusterManager } from "./cluster-manager/cluster-manager.ts";
import { serverId } from "./cluster-manager/document-manager.ts";
import { metricsReader } from "./cluster-manager/metrics-reader.ts";
import { ServersFileAgent } from "./cluster-manager/servers-file-agent.ts";
import { ConfigWriter } from "./config-manager/config-writer.ts";
import { CertificateFollower } from "./enrolment/certificate-follower.ts";
import { EtcdClient } from "./etcd/client.ts";
import { parseEndpoints } from "./etcd/endpoint.ts";
import { EtcdError } from "./etcd/errors.ts";
import type { EtcdClusterOptions } from "./options.ts";
import { cassandraPart, edgePart, enrolmentPart, restartPart } from "./parts.ts";
import { etcdClusterProblems } from "./problems.ts";
import type { PoolsPlan } from "./registry/pools-document.ts";
import { PoolsWriter } from "./registry/pools-writer.ts";
import { Registration } from "./registry/registration.ts";

/** Composition root: registers this machine's member, keeps its files, takes part in managing the cluster. */
export function createEtcdCluster(
  options: EtcdClusterOptions,
  modules: Pick<ServiceModules, "clock" | "log" | "health">,
): Service {
  const { clock, log, health } = modules;
  const { root, pool, member: name, addresses, memcachedFile, metricsUrl, poolsFile } = options;
  const client = etcdClientOf(options, clock);
  const shared = { client, clock, log, root };
  const { memberManagementAddress: told } = options;
  const management = told === "" ? {} : { management: told };
  const member = { pool, name, addresses, ...management, state: "up" } as const;
  const registration = new Registration({ ...shared, member });
  const { alarms } = health;
  alarms.watch(etcdClusterProblems.etcdAway, () =>
    registration.state === "unavailable" ? `nothing answers at ${options.etcd}` : undefined,
  );
  alarms.watch(etcdClusterProblems.memberNameTaken, () =>
    registration.state === "taken" ? `${pool} ${name}` : undefined,
  );
  const batchMs = options.batchSeconds * 1000;
  const rules = { batchMs, failAfterMs: options.failAfterSeconds * 1000 };
  const manager = options.manage ? new ClusterManager({ ...shared, rules }) : undefined;
  const parts: Service[] = [closing(client), registration];
  if (options.etcdCertificate !== "" && options.etcdKey !== "") {
    const { etcdCa: ca, etcdCertificate: certificate, etcdKey: key } = options;
    parts.push(new CertificateFollower({ client, clock, log, files: { ca, certificate, key } }));
  }
  if (poolsFile !== "")
    parts.push(new PoolsWriter({ ...shared, path: poolsFile, plan: planOf(options.poolsTemplate) }));
  if (memcachedFile !== "") {
    if (!URL.canParse(metricsUrl)) throw fault(metricsUrl, "--memcached-file needs --metrics-url");
    const reader = metricsReader({ url: metricsUrl, clock });
    const lease = (): string | undefined => registration.lease;
    parts.push(new ServersFileAgent({ ...shared, name, path: memcachedFile, reader, lease }));
  }
  if (manager !== undefined) parts.push(manager, new RingManager({ ...shared, rules: { batchMs } }));
  if (options.configFile !== "")
    parts.push(new ConfigWriter({ ...shared, path: options.configFile, member: { pool, name } }));
  if (options.restartCommand !== "") parts.push(restartPart(options, shared, registration));
  if (options.edges.length > 0)
    parts.push(edgePart(options, shared, planOf(options.poolsTemplate), registration));
  if (options.authorityFolder !== "") parts.push(enrolmentPart(options, shared));
  if (options.cassandraNodetool !== "") parts.push(...cassandraPart(options, shared));
  const all = composeServices(parts);
  return {
    ...all,
    /** A memcached server that leaves is waited for until its entries are with others. */
    async quiesce(signal) {
      await all.quiesce(signal);
      if (manager === undefined || pool !== "memcached") return;
      const id = serverId(member, 11_211);
      while (!signal.aborted && manager.document?.nodes.some((one) => one.id === id) === true)
        await new Promise<void>((resolve) => clock.setTimer(200, resolve));
    },
  };
}

/** A client of etcd, as options say. @throws EtcdError ETCD_OPTION, ETCD_ENDPOINT */
export function etcdClientOf(
  options: Pick<EtcdClusterOptions, "etcd" | "etcdCa" | "etcdCertificate" | "etcdKey">,
  clock: Clock,
): EtcdClient {
  const { etcd, etcdCa, etcdCertificate, etcdKey } = options;
  const endpoints = parseEndpoints(etcd);
  if (etcdCa === "") return new EtcdClient({ endpoints, clock });
  const tls = {
    ca: text(etcdCa),
    ...(etcdCertificate === "" ? {} : { cert: text(etcdCertificate) }),
    ...(etcdKey === "" ? {} : { key: text(etcdKey) }),
  };
  return new EtcdClient({ endpoints, clock, tls });
}

function closing(client: EtcdClient): Service {
  return {
    start: () => Promise.resolve(),
    quiesce: () => Promise.resolve(),
    stop() {
      client.close();
      return Promise.resolve();
    },
  };
}

function planOf(path: string): PoolsPlan {
  const result = parsePoolsFile(text(path));
  if (result.kind === "invalid") throw fault(path, `--pools-template ${result.problem}`);
  return result.pools;
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new EtcdError({ code: "ETCD_OPTION", text: path, problem: "cannot be read" }, { cause });
  }
}

function fault(value: string, problem: string): EtcdError {
  return new EtcdError({ code: "ETCD_OPTION", text: value, problem });
}
