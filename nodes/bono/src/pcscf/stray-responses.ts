import type { Clock, WorkerChannel } from "@ims/runtime";
import type { Flow } from "@ims/sip";

/** As many a second as a worker hands over, whatever comes: UEs repeat answers that have done their work. */
const MOST_PER_SECOND = 200;

/**
 * Hands responses over to the other workers. One that stands in for a worker which is being started again sends from the port of all
 * of them, and the answer comes to the socket of the one that the UE belongs to.
 */
export function strayResponses(workers: WorkerChannel, clock: Clock): (text: string, flow: Flow) => boolean {
  let second = 0;
  let count = 0;
  return (text, { remoteAddress, remotePort }) => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      second = now;
      count = 0;
    }
    if (++count > MOST_PER_SECOND) return false;
    workers.tell({ node: "bono", text, address: remoteAddress, port: remotePort });
    return true;
  };
}
