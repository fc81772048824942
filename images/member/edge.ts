import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { admitToken, etcdClientOf, JOIN_TOKEN } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { type Places, put } from "./files.ts";
import type { Member } from "./member-file.ts";
import { seedUrl } from "./seeds.ts";

/** Keys of a site in etcd begin with it; the default of etcd-cluster. */
const ROOT = "/tidewater";
/** As many bonos as there are addresses for, healed and rebuilt a few times. */
const USES = 1000;
const HOURS = 24;

/**
 * The token of the DMZ: the templates make it in the same way from the one that the core is given, so that who breaks into a bono has
 * no token of the core.
 */
export function edgeToken(token: string): string {
  return createHash("sha256").update(`edge ${token}`).digest("hex");
}

export function tokenOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}

/** Makes the token of the DMZ good, on a machine of the core; says why not, undefined when it is. Never shows it. */
export async function admitEdges(
  { seeds = [] }: Pick<Member, "seeds">,
  { joinToken }: Places,
): Promise<string | undefined> {
  const token = tokenOf(joinToken);
  if (token === "") return undefined;
  if (!JOIN_TOKEN.test(token))
    return "the join token is too short (22 letters, digits or ._~- at least): nodes in the DMZ are not told by the core";
  const clock = systemClock();
  const etcd = seeds.map((seed) => seedUrl(seed)).join(",");
  const client = etcdClientOf({ etcd, etcdCa: "", etcdCertificate: "", etcdKey: "" }, clock);
  try {
    const uses = { uses: USES, expires: clock.now() + HOURS * 3_600_000 };
    const result = await admitToken(client, ROOT, edgeToken(token), uses);
    return result.kind === "unavailable"
      ? `etcd did not take the join token: ${result.cause.message}`
      : undefined;
  } finally {
    client.close();
  }
}

/** Options of the edge agent beside bono. */
export function edgeConfig({ name, address }: Member, places: Places, healthUrl: string): string {
  return [
    `member=${name}`,
    `host=${address}`,
    `join_token_file=${places.edge}/join-token`,
    `state_file=${places.edge}/state`,
    `config_file=${places.edge}/shared_config`,
    `pools_file=${places.edge}/pools.json`,
    "restart_command=/bin/sh /usr/lib/tidewater/restart-node.sh",
    `health_url=${healthUrl}`,
    "",
  ].join("\n");
}

/** bono reads what the core told instead of the shared_config of its user data. */
export function writeBonoEnvironment(places: Places): void {
  put(`${places.run}/bono.env`, `SHARED=--shared-config ${places.edge}/shared_config\n`);
}
