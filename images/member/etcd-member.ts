import { setTimeout as sleep } from "node:timers/promises";
import { type EtcdStart, etcdClientOf, etcdStart } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { etcdOptions, type TlsFiles, tlsFilesIn } from "./certificates.ts";
import type { Places } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";
import { seedUrl, type Waiting } from "./seeds.ts";

export type MemberStart = Extract<EtcdStart, { readonly kind: "start" }>;

export const etcdName = (address: string): string => `etcd-${address.replaceAll(/[.:]/g, "-")}`;

/**
 * How the etcd of this machine is to start. With an empty disk beside others that work it takes the place of the dead one at its
 * address, for which they are asked until they can. @throws MemberError
 */
export async function startOfEtcd(
  member: Member,
  places: Places,
  hasData: boolean,
  { say, deadline, everyMs = 2000, remindMs = 30_000 }: Waiting,
): Promise<MemberStart> {
  const { address, seeds = [], etcdTls } = member;
  const seats = seeds.map((seed) => ({
    name: etcdName(seed),
    peerUrl: seedUrl(seed, etcdTls === "on", 2380),
  }));
  const own = { name: etcdName(address), peerUrl: seedUrl(address, etcdTls === "on", 2380) };
  const others = seeds.filter((seed) => seed !== address);
  if (hasData || others.length === 0) {
    const cluster = seats.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
    return { kind: "start", state: hasData ? "existing" : "new", cluster };
  }
  const client = etcdClientOf(etcdOptions({ etcdTls }, others, tlsFilesIn(places.tls)), systemClock());
  try {
    for (let spoke = Number.NEGATIVE_INFINITY; ; await sleep(everyMs)) {
      const start = await etcdStart({ own, seats, hasData, client });
      if (start.kind === "start") return start;
      if (performance.now() > deadline)
        throw new MemberError(
          "the other members of etcd do not admit this one in place of the one before it",
          "see 'etcdctl member list' on another vellum, and that all others are well",
        );
      if (performance.now() - spoke > remindMs) {
        spoke = performance.now();
        say("waiting for the other members of etcd to admit this one in place of the one before it");
      }
    }
  } finally {
    client.close();
  }
}

/** etcd.yaml; JSON is YAML. */
export function etcdYaml(
  { address, etcdTls }: Pick<Member, "address" | "etcdTls">,
  { state, cluster }: MemberStart,
  dataDir: string,
  { ca, certificate, key }: TlsFiles,
): string {
  const secure = etcdTls === "on";
  const client = seedUrl(address, secure);
  const local = seedUrl("127.0.0.1", secure);
  const peer = seedUrl(address, secure, 2380);
  const transport = {
    "cert-file": certificate,
    "key-file": key,
    "trusted-ca-file": ca,
    "client-cert-auth": true,
  };
  return `${JSON.stringify(
    {
      name: etcdName(address),
      "data-dir": dataDir,
      "listen-client-urls": address === "127.0.0.1" ? local : `${client},${local}`,
      "advertise-client-urls": client,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": cluster,
      "initial-cluster-token": "tidewater",
      "initial-cluster-state": state,
      // Its default is true on the command line, and false beside a file of options.
      "enable-grpc-gateway": true,
      "auto-compaction-mode": "periodic",
      "auto-compaction-retention": "1h",
      // Without it the security groups alone keep others out.
      ...(secure ? { "client-transport-security": transport, "peer-transport-security": transport } : {}),
    },
    undefined,
    2,
  )}\n`;
}
