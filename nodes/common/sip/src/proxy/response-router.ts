import type { Clock } from "@ims/runtime";
import type { Hops } from "../failover/hops.ts";
import type { SipMessage } from "../message/message.ts";
import { sentFrom, type Via } from "../message/via.ts";
import type { SipTrail } from "../trail/sip-trail.ts";
import { addressFamily } from "../transport/flow.ts";
import type { Target, TransportProtocol } from "../transport/transport.ts";
import type { Locator } from "./locator.ts";

const DEFAULT_PORT: Readonly<Partial<Record<string, number>>> = { UDP: 5060, TCP: 5060, TLS: 5061 };

/** A connection that breaks within this time has not delivered the response: the next target gets it, ms. */
const DELIVERY_MS = 1_000;

/**
 * Sends responses whose connection is gone where their top Via says: RFC 3261 §18.2.2, RFC 3581 §4, and RFC 3263 §5 when the
 * sender of the request is gone too: the name in its Via leads to another member of its pool. Only inside the trust domain,
 * because a stranger may have written that Via.
 */
export class ResponseRouter {
  readonly #clock: Clock;
  readonly #hops: Hops;
  readonly #locator: Locator;
  readonly #trail: SipTrail | undefined;

  constructor({
    clock,
    hops,
    locator,
    trail,
  }: {
    readonly clock: Clock;
    readonly hops: Hops;
    readonly locator: Locator;
    readonly trail?: SipTrail | undefined;
  }) {
    this.#clock = clock;
    this.#hops = hops;
    this.#locator = locator;
    this.#trail = trail;
  }

  /** False when there is nowhere to send it. */
  send(response: SipMessage, side: string): boolean {
    const via = response.topVia;
    const direct = via === undefined ? undefined : directTarget(via);
    if (via === undefined) return false;
    const named = addressFamily(via.host) === 0;
    const text = response.toString();
    if (!named || this.#locator.locateVia === undefined)
      return direct !== undefined && this.#try([direct], side, text);
    const located = this.#locator.locateVia(via);
    const received = via.parameters.get("received") ?? "";
    const send = (targets: readonly Target[]): boolean =>
      this.#try(this.#candidates(direct, targets, received, side), side, text);
    if (!(located instanceof Promise)) return send(located);
    located.then(
      (targets) => void send(targets),
      () => {},
    );
    return true;
  }

  /** Where the request came from stands first, unless it is known to be gone. */
  #candidates(
    direct: Target | undefined,
    located: readonly Target[],
    received: string,
    side: string,
  ): readonly Target[] {
    const usable = (target: Target): boolean => this.#hops.hop(target, side).state === "up";
    const rank = (target: Target): number =>
      (usable(target) ? 0 : 1_000) + (target.address === received ? 0 : 1 + (target.priority ?? 0));
    const others = located.filter((one) => direct === undefined || !isSame(one, direct));
    others.sort((a, b) => rank(a) - rank(b));
    if (direct === undefined) return others;
    return usable(direct) ? [direct, ...others] : [...others, direct];
  }

  #try(targets: readonly Target[], side: string, text: string): boolean {
    for (const [index, target] of targets.entries()) {
      const flow = this.#hops.flowTo(this.#hops.hop(target, side));
      if (!flow.send(text)) continue;
      this.#trail?.sentText(text, flow);
      const rest = targets.slice(index + 1);
      if (!flow.reliable || rest.length === 0) return true;
      const onClose = (): void => {
        timer.cancel();
        this.#try(rest, side, text);
      };
      const timer = this.#clock.setTimer(DELIVERY_MS, () => flow.offClose(onClose));
      flow.onClose(onClose);
      return true;
    }
    return false;
  }
}

function directTarget(via: Via): Target | undefined {
  const protocol = via.transport as TransportProtocol;
  if (protocol !== "TCP" && protocol !== "TLS" && protocol !== "UDP") return undefined;
  const from = sentFrom(via);
  const { address } = from;
  if (addressFamily(address) === 0) return undefined;
  const port = (protocol === "UDP" ? from.port : via.port) ?? DEFAULT_PORT[protocol];
  // A name without a port leads to ports by SRV only.
  const byName = protocol !== "UDP" && via.port === undefined && addressFamily(via.host) === 0;
  return port === undefined || byName ? undefined : { protocol, address, port };
}

function isSame(a: Target, b: Target): boolean {
  return a.protocol === b.protocol && a.address === b.address && a.port === b.port;
}
