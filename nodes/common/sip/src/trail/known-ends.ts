import type { TrailEnds } from "@ims/runtime";
import type { Flow } from "../transport/transport.ts";

/** UDP flows whose ends are remembered: more than have a transaction under way at a time. A power of two. */
const PLACES = 4_096;

/**
 * The ends of the flows of one transport layer, as its trail names them. A connection keeps its own. A UDP flow does not: there may be
 * a million, each with a few messages now and then, and every object is one more for the collector to mark.
 */
export class KnownEnds {
  readonly #ids = new Float64Array(PLACES);
  readonly #ends = new Array<TrailEnds | undefined>(PLACES).fill(undefined);
  /** Of the listener met last: one text for all of its flows. */
  #local = "";
  #localAddress = "";
  #localPort = 0;

  of(flow: Flow): TrailEnds {
    return flow.reliable ? this.#ofConnection(flow) : this.#ofDatagrams(flow);
  }

  #ofConnection(flow: Flow): TrailEnds {
    const known = flow.trailEnds;
    if (known !== undefined) return known;
    const ends = this.#make(flow, hostPort(flow.localAddress, flow.localPort));
    // Until a connection is open its own port is not known.
    if (flow.localPort !== 0) flow.trailEnds = ends;
    return ends;
  }

  #ofDatagrams(flow: Flow): TrailEnds {
    const { id } = flow;
    const place = id & (PLACES - 1);
    const known = this.#ends[place];
    if (known !== undefined && this.#ids[place] === id) return known;
    const ends = this.#make(flow, this.#localOf(flow));
    this.#ids[place] = id;
    this.#ends[place] = ends;
    return ends;
  }

  #make({ protocol, side, remoteAddress, remotePort }: Flow, local: string): TrailEnds {
    return { protocol, side, local, remote: hostPort(remoteAddress, remotePort) };
  }

  #localOf({ localAddress, localPort }: Flow): string {
    if (localPort !== this.#localPort || localAddress !== this.#localAddress) {
      this.#local = hostPort(localAddress, localPort);
      this.#localAddress = localAddress;
      this.#localPort = localPort;
    }
    return this.#local;
  }
}

function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
