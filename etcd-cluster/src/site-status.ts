import { ringDocumentSchema } from "./cluster-manager/cassandra/ring-document.ts";
import { CASSANDRA } from "./cluster-manager/cassandra/ring-manager.ts";
import { clusterDocumentSchema } from "./cluster-manager/cluster-document.ts";
import { clusterKeys } from "./cluster-manager/cluster-keys.ts";
import { parseJson } from "./cluster-manager/cluster-view.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { queueKey } from "./queue-manager/restart-agent.ts";
import { restartQueueSchema } from "./queue-manager/restart-queue.fsm.ts";
import { membersPrefix, readMember } from "./registry/member-record.ts";

/** What a site is doing, a line for each member, store and restart. @throws EtcdError ETCD_UNAVAILABLE */
export async function siteStatus(client: EtcdClient, root: string): Promise<string[]> {
  const read = async (range: { readonly prefix: string } | { readonly key: string }) => {
    const found = await client.range(range);
    if (found.kind === "unavailable") throw found.cause;
    return found.entries;
  };
  const lines: string[] = [];
  for (const { key, value } of await read({ prefix: membersPrefix(root) })) {
    const member = readMember(root, key, value);
    if (member !== undefined)
      lines.push(`member ${member.pool}/${member.name}: ${member.state}, ${member.addresses.join(" ")}`);
  }
  const since = (ms: number): string => `since ${new Date(ms).toISOString()}`;
  const textOf = async (key: string): Promise<string | undefined> => (await read({ key }))[0]?.value;

  const servers = await textOf(clusterKeys(root, "memcached").document);
  if (servers !== undefined) {
    const document = parseJson(servers, clusterDocumentSchema);
    lines.push(`memcached: ${document === undefined ? "its document cannot be read" : document.phase}`);
    for (const { id, state, since: from } of document?.nodes ?? [])
      lines.push(`memcached ${id}: ${state} ${since(from)}`);
  }
  const ring = await textOf(clusterKeys(root, CASSANDRA).document);
  if (ring !== undefined) {
    const document = parseJson(ring, ringDocumentSchema);
    const doing = document?.operation;
    const now = doing === undefined ? "nothing to do" : `${doing.kind} on ${doing.on} ${since(doing.since)}`;
    lines.push(`cassandra: ${document === undefined ? "its document cannot be read" : now}`);
    for (const { id, state, due, since: from } of document?.nodes ?? [])
      lines.push(`cassandra ${id}: ${state} ${since(from)}${due === "nothing" ? "" : `, ${due} is due`}`);
  }
  for (const { key, value } of await read({ prefix: queueKey(root, "") })) {
    const queue = parseJson(value, restartQueueSchema);
    const pool = key.slice(queueKey(root, "").length);
    for (const { name, state, since: from } of queue?.entries ?? [])
      if (state !== "done") lines.push(`restart ${pool}/${name}: ${state} ${since(from)}`);
  }
  return lines.length === 0 ? ["nobody is registered"] : lines;
}
