import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Where things are on a member. Tests put another directory before them. */
export function placesBelow(root = "/") {
  const at = (path: string): string => join(root, path);
  return {
    member: at("etc/tidewater/member.json"),
    localConfig: at("etc/tidewater/local_config"),
    joinToken: at("etc/tidewater/join-token"),
    ralfConfig: at("etc/tidewater/ralf_config"),
    dataVolume: at("etc/tidewater/data-volume"),
    data: at("var/lib/tidewater"),
    readySignal: at("etc/tidewater/ready-signal.json"),
    instanceData: at("run/cloud-init/instance-data.json"),
    run: at("run/tidewater"),
    tls: at("var/lib/tidewater/tls"),
    authority: at("var/lib/tidewater/authority"),
    edge: at("var/lib/tidewater/edge"),
    turnConfig: at("run/tidewater/turnserver.conf"),
    userShared: at("etc/tidewater/shared_config"),
    cluster: at("var/lib/tidewater/cluster"),
    subscriberKey: at("var/lib/tidewater/homestead/subscribers.key"),
    homer: at("var/lib/tidewater/homer"),
    ellis: at("var/lib/tidewater/ellis"),
    homerConfig: at("run/tidewater/homer_config"),
    provisioningToken: at("var/lib/tidewater/homestead/provisioning.token"),
    pools: at("var/lib/tidewater/cluster/pools.json"),
    memcached: at("var/lib/tidewater/cluster/memcached.json"),
    etcdData: at("var/lib/tidewater/etcd/data"),
    cassandraData: at("var/lib/tidewater/cassandra"),
    cassandraUnfinished: at("var/lib/tidewater/cassandra.unfinished"),
    cassandraJars: at("usr/lib/tidewater/cassandra/lib"),
  };
}
export type Places = ReturnType<typeof placesBelow>;

/** Writes a file in one step, readable by the processes of this machine. */
export function put(path: string, text: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  writeFileSync(beside, text, { mode, flush: true });
  chmodSync(beside, mode);
  renameSync(beside, path);
}

/** What user data wrote there, on one line; "" for nothing. */
export function lineOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}

/** User data names a volume for what is stored. */
export function hasDataVolume({ dataVolume }: Places): boolean {
  return lineOf(dataVolume) !== "";
}

/** Whether it is a folder with anything in it. */
export function holdsSomething(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}
