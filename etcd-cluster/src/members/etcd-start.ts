import type { EtcdClient } from "../etcd/client.ts";

export interface EtcdSeat {
  readonly name: string;
  readonly peerUrl: string;
}

export interface EtcdStartRequest {
  /** This machine's own, one of `seats`. */
  readonly own: EtcdSeat;
  /** The members of the site, at addresses that stay. */
  readonly seats: readonly EtcdSeat[];
  /** Its data directory holds data of the cluster. */
  readonly hasData: boolean;
  /** Asks the others; not this machine. */
  readonly client: EtcdClient;
}

/** How etcd is to start. */
export type EtcdStart =
  | {
      readonly kind: "start";
      /** --initial-cluster-state */
      readonly state: "new" | "existing";
      /** --initial-cluster */
      readonly cluster: string;
    }
  /** etcd will not admit us now: a member is missing besides. Try again. */
  | { readonly kind: "refused" };

/**
 * Decides how the etcd of this machine starts. Without data beside a cluster that works, a dead member at our address is taken
 * out and we are admitted in its place, as often as it takes: nobody has to do anything by hand.
 */
export async function etcdStart(request: EtcdStartRequest): Promise<EtcdStart> {
  const { own, seats, hasData, client } = request;
  const all = seats.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
  if (hasData) return { kind: "start", state: "existing", cluster: all };
  const found = await client.members();
  // Nobody answers: all begin together.
  if (found.kind === "unavailable") return { kind: "start", state: "new", cluster: all };
  const before = found.members.find(({ peerUrls }) => peerUrls.includes(own.peerUrl));
  // One that never ran is us: admitted, or of those who began together while we were late. Nothing is to be taken out.
  const waits = before !== undefined && before.clientUrls.length === 0;
  if (before !== undefined && !waits) {
    const removed = await client.removeMember(before.id);
    if (removed.kind !== "removed") return { kind: "refused" };
  }
  if (!waits) {
    const added = await client.addMember([own.peerUrl]);
    if (added.kind !== "members") return { kind: "refused" };
  }
  // One that has not started yet may have no name.
  const nameOf = (peerUrl: string, name: string): string =>
    seats.find((seat) => seat.peerUrl === peerUrl)?.name ?? name;
  const others = found.members.filter((member) => member !== before);
  const cluster = [
    ...others.map(({ name, peerUrls: [peerUrl = ""] }) => `${nameOf(peerUrl, name)}=${peerUrl}`),
    `${own.name}=${own.peerUrl}`,
  ].join(",");
  return { kind: "start", state: "existing", cluster };
}
