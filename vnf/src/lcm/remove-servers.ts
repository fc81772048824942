import type { Nova } from "../openstack/nova.ts";
import { failed, type Outcome, type Run } from "./outcome.ts";

const POLL_MS = 2_000;

/** Deletes servers and waits until Nova has none of them; undefined: all are gone. On a host that is down, too: there Nova does it by itself. */
export async function removeServers(
  nova: Nova,
  members: readonly { readonly name: string; readonly serverId?: string | undefined }[],
  run: Run,
  next: readonly string[],
): Promise<Outcome | undefined> {
  const deadline = run.pace.now() + run.timeoutMs;
  for (const { name, serverId } of members) {
    if (serverId === undefined) continue;
    run.progress(`${name}: deleting server ${serverId}`);
    await nova.deleteServer(serverId, run.signal);
  }
  for (const { name, serverId } of members)
    while (serverId !== undefined && (await nova.server(serverId, run.signal)) !== undefined) {
      if (run.pace.now() >= deadline)
        return failed(`nova does not get rid of server ${serverId} of ${name}`, [], next);
      await run.pace.sleep(POLL_MS, run.signal);
    }
  return undefined;
}
