import type { Member } from "./member-file.ts";
import { MemberError } from "./member-file.ts";
import { causeOf, probeEtcd, seedUrl } from "./seeds.ts";

/** This machine's own etcd: its first start, or the start of one that took the place of a dead one. */
export interface EtcdStart {
  readonly state: "new" | "existing";
  /** name=peer-url of all. */
  readonly cluster: readonly string[];
}

interface EtcdMember {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

export const etcdName = (address: string): string => `etcd-${address.replaceAll(/[.:]/g, "-")}`;
const peerUrl = (address: string): string => seedUrl(address).replace(/:2379$/, ":2380");

/**
 * How etcd is to start here. With an empty data directory beside a cluster that works and has had a member at our address, that one is
 * taken out and we are added in its place: its log is gone for good.
 */
export async function etcdStart({ address, seeds = [] }: Member, hasData: boolean): Promise<EtcdStart> {
  const all = seeds.map((seed) => `${etcdName(seed)}=${peerUrl(seed)}`);
  if (hasData) return { state: "existing", cluster: all };
  for (const seed of seeds.filter((one) => one !== address)) {
    const url = seedUrl(seed);
    if ((await probeEtcd(url)) !== undefined) continue;
    const { members } = await ask<{ members: readonly EtcdMember[] }>(url, "member/list", {});
    const own = peerUrl(address);
    const before = members.find(({ peerURLs = [] }) => peerURLs.includes(own));
    // One that has never started has no name: the others wait for us since they began together.
    if (before !== undefined && (before.name ?? "") === "") return { state: "new", cluster: all };
    if (before !== undefined) await ask(url, "member/remove", { ID: before.ID });
    await ask(url, "member/add", { peerURLs: [own] });
    return { state: "existing", cluster: all };
  }
  return { state: "new", cluster: all };
}

async function ask<Answer>(url: string, what: string, body: object): Promise<Answer> {
  const remedy = "see 'etcdctl member list' on another vellum";
  let response: Response;
  try {
    response = await fetch(`${url}/v3/cluster/${what}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    throw new MemberError(`etcd at ${url} does not answer ${what}: ${causeOf(error)}`, remedy);
  }
  const text = await response.text();
  if (!response.ok) throw new MemberError(`etcd at ${url} refuses ${what}: ${text.slice(0, 200)}`, remedy);
  return JSON.parse(text) as Answer;
}

/** etcd.yaml; JSON is YAML. Without TLS: the security groups let only the machines of the core in. */
export function etcdYaml({ address }: Member, { state, cluster }: EtcdStart, dataDir: string): string {
  const client = seedUrl(address);
  const local = seedUrl("127.0.0.1");
  const peer = peerUrl(address);
  return `${JSON.stringify(
    {
      name: etcdName(address),
      "data-dir": dataDir,
      "listen-client-urls": address === "127.0.0.1" ? local : `${client},${local}`,
      "advertise-client-urls": client,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": cluster.join(","),
      "initial-cluster-token": "tidewater",
      "initial-cluster-state": state,
      "auto-compaction-mode": "periodic",
      "auto-compaction-retention": "1h",
    },
    undefined,
    2,
  )}\n`;
}
