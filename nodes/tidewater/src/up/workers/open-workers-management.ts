import { type NodeOption, portOf } from "../nodes.ts";
import type { Process } from "../pools/fleet.ts";
import { type Worker, workersManagement } from "./workers-management.ts";

/** Nodes that run in workers, with their usual management ports. */
const NODES = [
  ["bono", 9101],
  ["sprout", 9102],
] as const;

/** Opens the management ports of the nodes that run in workers, on the address of the access side. Gives what closes them. */
export async function openWorkersManagement(
  { host, set }: { readonly host: string; readonly set: readonly NodeOption[] },
  processes: () => readonly Process[],
): Promise<() => Promise<void>> {
  const opened = NODES.map(([node, usual]) =>
    workersManagement({
      node,
      // The workers have that port on addresses of their own: all of them together are nobody's any more.
      address: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host,
      port: Number(portOf(node, "management-port", usual, set)),
      workers: () => processes().flatMap((one) => (one.pool === node ? [workerOf(one)] : [])),
    }),
  );
  const close = async (): Promise<void> => void (await Promise.all(opened.map((one) => one.stop())));
  try {
    for (const one of opened) await one.start();
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}

function workerOf({ name, host, ports, state, restarts }: Process): Worker {
  const port = ports["management"];
  return {
    number: Number(name.slice(name.lastIndexOf("-") + 1)),
    url: state === "ready" && typeof port === "number" ? `http://${host}:${port}` : undefined,
    state,
    restarts,
  };
}
