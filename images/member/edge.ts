import { admitToken, edgeTokenOf, etcdClientOf, JOIN_TOKEN } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { etcdOptions, TOKEN_HOURS, TOKEN_USES, tlsFilesIn } from "./certificates.ts";
import { lineOf, type Places, put } from "./files.ts";
import { ROOT } from "./keys.ts";
import type { Member } from "./member-file.ts";

/**
 * Makes the tokens of the DMZ and, where machines need one, of the core good; on a machine of the core. Says why not, undefined when
 * they are. Never shows them.
 */
export async function admitTokens(
  { seeds = [], etcdTls }: Pick<Member, "seeds" | "etcdTls">,
  places: Places,
): Promise<string | undefined> {
  const token = lineOf(places.joinToken);
  if (token === "") return undefined;
  if (!JOIN_TOKEN.test(token))
    return "the join token is too short (22 letters, digits or ._~- at least): nodes in the DMZ are not told by the core";
  const clock = systemClock();
  const client = etcdClientOf(etcdOptions({ etcdTls }, seeds, tlsFilesIn(places.tls)), clock);
  try {
    const uses = { uses: TOKEN_USES, expires: clock.now() + TOKEN_HOURS * 3_600_000 };
    const tokens = [
      [edgeTokenOf(token), "edge"],
      ...(etcdTls === "on" ? [[token, "machine"] as const] : []),
    ] as const;
    for (const [one, purpose] of tokens) {
      const result = await admitToken(client, ROOT, one, { ...uses, purpose });
      if (result.kind === "unavailable") return `etcd did not take the join token: ${result.cause.message}`;
    }
    return undefined;
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

/**
 * The node reads that shared_config instead of the one of its user data, and is the one that is restarted for it. `tokenFile`: what its
 * management port is opened with.
 */
export function writeNodeEnvironment(
  places: Places,
  role: string,
  sharedConfig: string,
  tokenFile?: string,
): void {
  const token = tokenFile === undefined ? "" : ` --management-token-file ${tokenFile}`;
  put(`${places.run}/node.env`, `SHARED=--shared-config ${sharedConfig}${token}\n`);
  put(`${places.run}/restart.env`, `UNIT=tidewater-${role}.service\n`);
}
