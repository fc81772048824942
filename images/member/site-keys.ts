import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigManager, type EtcdClient, etcdClientOf } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { z } from "zod";
import { type CertificateModules, etcdOptions, tlsFilesIn } from "./certificates.ts";
import { type Places, put } from "./files.ts";
import { ellisKeys, homesteadKeys, managementToken, ROOT, type SiteKey } from "./keys.ts";
import { localOptions } from "./local-config.ts";
import { type Member, MemberError } from "./member-file.ts";

const BYTES = 32;

/** Asks etcd as this machine may. */
async function withEtcd<T>(
  { seeds = [], etcdTls }: Member,
  { tls }: Places,
  work: (client: EtcdClient) => Promise<T>,
): Promise<T> {
  const client = etcdClientOf(etcdOptions({ etcdTls }, seeds, tlsFilesIn(tls)), systemClock());
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Keys that are the same for all homesteads. A file that is there stays. @throws MemberError */
export async function obtainHomesteadKeys(member: Member, modules: CertificateModules): Promise<void> {
  for (const one of homesteadKeys(member, modules.places)) await obtain(one, member, modules);
}

/** The same for all portals. A file that is there stays. @throws MemberError */
export async function obtainEllisKeys(member: Member, modules: CertificateModules): Promise<void> {
  for (const one of ellisKeys(modules.places)) await obtain(one, member, modules);
}

/**
 * Where the node of this machine has the token that it is asked with: that of the site, beside the node's own files unless its options say
 * where. Undefined when it cannot be had now: a node that serves without it is worth more than none.
 */
export async function obtainManagementToken(
  member: Member,
  modules: CertificateModules & { readonly say: (line: string) => void },
): Promise<string | undefined> {
  const { places, say } = modules;
  const text = z.string().default("").describe("as the node's own");
  const schema = z.object({ managementTokenFile: text });
  const { managementTokenFile: told } = localOptions(member.role, places.localConfig, schema);
  const path = told === "" ? `${places.data}/${member.role}/management.token` : told;
  try {
    await obtain(managementToken(path, `tidewater-${member.role}`), member, modules);
    return path;
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    say(`${error.message}; its management port tells metrics, health and alarms until the next start`);
    return undefined;
  }
}

async function obtain(
  { key, what, path, user, text, remedy }: SiteKey,
  member: Member,
  { places, own }: CertificateModules,
): Promise<void> {
  if (existsSync(path)) return;
  const fresh = randomBytes(BYTES).toString("base64");
  const bytes = await withEtcd(member, places, async (client) => {
    const result = await client.transact({
      when: [{ key, is: "absent" }],
      run: [{ do: "put", key, value: fresh }],
      otherwise: [{ do: "get", range: { key } }],
    });
    if (result.kind !== "done") return undefined;
    return Buffer.from(result.held ? fresh : (result.found[0]?.[0]?.value ?? ""), "base64");
  });
  if (bytes?.length !== BYTES)
    throw new MemberError(
      `the ${what} cannot be had from etcd${bytes === undefined ? "" : ": it is damaged"}`,
      `see that etcd has a quorum; ${remedy}`,
    );
  put(path, text(bytes), 0o600);
  for (const one of [dirname(path), path]) own(one, user);
}

/** Whether a configuration was applied: a member that comes waits for it instead of beginning with another one. */
export async function siteHasConfig(member: Member, places: Places): Promise<boolean> {
  const found = await withEtcd(member, places, (client) => client.range({ key: `${ROOT}/config/current` }));
  return found.kind === "found" && found.entries.length > 0;
}

const seatKey = ({ address }: Member): string => `${ROOT}/cassandra-seats/${address}`;

/** Whether Cassandra has ever served at the address of this machine. @throws MemberError when etcd does not say */
export async function cassandraHasServed(member: Member, places: Places): Promise<boolean> {
  const found = await withEtcd(member, places, (client) => client.range({ key: seatKey(member) }));
  if (found.kind === "found") return found.entries.length > 0;
  throw new MemberError("etcd does not say whether Cassandra was here before", "see that etcd has a quorum");
}

/** What is not noted now is at the next start. */
export async function noteCassandraServes(member: Member, places: Places): Promise<void> {
  await withEtcd(member, places, (client) => client.put(seatKey(member), member.name));
}

/** Those who read what a site begins with. */
const READERS = [
  { pool: "bono", schema: z.object({ homeDomain: z.string() }) },
  {
    pool: "sprout",
    schema: z.object({ homeDomain: z.string(), gruuKey: z.string().meta({ secret: true }) }),
  },
  { pool: "homestead", schema: z.object({ homeDomain: z.string() }) },
];

/** The first configuration of a site, unless there is one: its domain, and what all sprouts have to have in common. */
export async function beginConfiguration(member: Member, places: Places): Promise<void> {
  const text = `home_domain=${member.domain.toLowerCase()}\ngruu_key=${randomBytes(16).toString("hex")}\n`;
  const result = await withEtcd(member, places, (client) => {
    const manager = new ConfigManager({ client, clock: systemClock(), root: ROOT, nodes: READERS });
    return manager.apply({ text, author: member.name, comment: "the site begins", on: 0 });
  });
  // Another vellum was first, or this site began long ago.
  if (result.kind === "applied" || result.kind === "contention" || result.kind === "unreadable") return;
  if (result.kind === "unavailable" && result.maybeDone) return;
  throw new MemberError(
    `the first configuration of the site is not taken: ${result.kind}`,
    "see that etcd has a quorum",
  );
}
