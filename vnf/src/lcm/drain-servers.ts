import type { Nova, Server } from "../openstack/nova.ts";
import { done, failed, type Outcome, type Run } from "./outcome.ts";
import type { VnfMember } from "./vnf-driver.ts";

const POLL_MS = 2_000;
const AGAIN = "the same command again goes on from here";

/**
 * Nova asks the guest to shut down; systemd then gives the node SIGTERM, upon which it quiesces and ends. So a drained
 * member is one that is switched off, and no way to its management network is needed.
 */
export async function switchServers(
  nova: Nova,
  members: readonly VnfMember[],
  to: "SHUTOFF" | "ACTIVE",
  run: Run,
): Promise<Outcome> {
  const deadline = run.pace.now() + run.timeoutMs;
  const waiting = new Map<string, string>();
  for (const { name, serverId, serverStatus } of members) {
    if (serverId === undefined || serverStatus === to) continue;
    if (serverStatus !== (to === "SHUTOFF" ? "ACTIVE" : "SHUTOFF")) {
      run.progress(`${name} is ${serverStatus}: nothing to ${to === "SHUTOFF" ? "drain" : "start"}`);
      continue;
    }
    if (to === "SHUTOFF") await nova.stop(serverId, run.signal);
    else await nova.start(serverId, run.signal);
    waiting.set(serverId, name);
  }
  const changed = waiting.size > 0;
  while (waiting.size > 0) {
    for (const [id, name] of waiting) {
      const server: Server | undefined = await nova.server(id, run.signal);
      if (server !== undefined && server.status !== to && server.status !== "ERROR") continue;
      waiting.delete(id);
      run.progress(`${name}: ${server?.status ?? "gone"}`);
    }
    if (waiting.size === 0) break;
    if (run.pace.now() >= deadline)
      return failed(`${[...waiting.values()].join(", ")} did not become ${to} in time`, [], [AGAIN]);
    await run.pace.sleep(POLL_MS, run.signal);
  }
  const names = members.map(({ name }) => name).join(", ");
  return done(`${to === "SHUTOFF" ? "drained" : "started"}: ${names}`, changed);
}
