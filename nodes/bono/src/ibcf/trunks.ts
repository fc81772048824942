import type { Clock, Logger, Timer } from "@ims/runtime";
import { type RequestOriginator, SipMessage, uriToString } from "@ims/sip";
import { bonoProblems } from "../problems.ts";
import type { Peer, PeerTable, TrunkTarget } from "./peers.ts";

/** Between two looks at what is due, ms. */
const TICK_MS = 1_000;
/** Without an answer by then a target is out of service, ms: over UDP the fourth copy has been sent. */
const PROBE_MS = 5_000;
/** A target that is out of service is asked this often at least, s. */
const RETRY_SECONDS = 5;
/** One that is never asked is tried again after, ms; also the longest Retry-After that counts. */
const AVOID_MS = 30_000;

interface TargetState {
  up: boolean;
  /** Monotonic ms. */
  due: number;
  avoidUntil: number;
  asking: boolean;
}

export interface TrunksModules {
  readonly peers: { readonly table: PeerTable };
  readonly clock: Clock;
  readonly log: Logger;
  readonly originate: RequestOriginator["originate"];
  readonly tag: () => string;
  /** Our name in OPTIONS. */
  readonly homeDomain: string;
}

/** Targets of the peers and whether they are in service: OPTIONS as keep-alive (RFC 3261 §11), and what calls meet. */
export class Trunks {
  readonly #modules: TrunksModules;
  readonly #states = new Map<string, TargetState>();
  readonly #turns = new Map<string, number>();
  #timer: Timer | undefined;
  #calls = 0;

  constructor(modules: TrunksModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#tick();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Targets of a peer in the order to try now; those out of service last. */
  order(peer: Peer): readonly TrunkTarget[] {
    const { targets } = peer;
    if (targets.length < 2) return targets;
    let turned = targets;
    if (peer.rotates) {
      const turn = (this.#turns.get(peer.name) ?? 0) % targets.length;
      this.#turns.set(peer.name, turn + 1);
      turned = [...targets.slice(turn), ...targets.slice(0, turn)];
    }
    const now = this.#modules.clock.monotonic();
    const well = turned.filter((target) => this.#isWell(peer, target, now));
    return well.length === turned.length ? turned : [...well, ...turned.filter((one) => !well.includes(one))];
  }

  /** It could not be reached, was silent, or does not want any for some time. */
  failed(peer: Peer, target: TrunkTarget, retryAfterSeconds = 0): void {
    const state = this.#state(peer, target);
    const now = this.#modules.clock.monotonic();
    const ms = retryAfterSeconds > 0 ? Math.min(retryAfterSeconds * 1000, AVOID_MS) : AVOID_MS;
    state.avoidUntil = now + ms;
    // Keep-alives find out when it is back.
    state.due = Math.min(state.due, now + RETRY_SECONDS * 1000);
  }

  answered(peer: Peer, target: TrunkTarget): void {
    const state = this.#states.get(keyOf(peer, target));
    if (state !== undefined && (!state.up || state.avoidUntil > 0)) this.#found(peer, target, state, true);
  }

  /** Peers none of whose targets is in service. */
  unreachable(): string[] {
    const now = this.#modules.clock.monotonic();
    const names: string[] = [];
    for (const peer of this.#modules.peers.table.peers)
      if (peer.targets.length > 0 && !peer.targets.some((target) => this.#isWell(peer, target, now)))
        names.push(peer.name);
    return names;
  }

  /** Targets out of service. */
  get down(): number {
    const now = this.#modules.clock.monotonic();
    let count = 0;
    for (const peer of this.#modules.peers.table.peers)
      for (const target of peer.targets) if (!this.#isWell(peer, target, now)) count++;
    return count;
  }

  #isWell(peer: Peer, target: TrunkTarget, now: number): boolean {
    const state = this.#states.get(keyOf(peer, target));
    return state === undefined || (state.up && state.avoidUntil <= now);
  }

  #state(peer: Peer, target: TrunkTarget): TargetState {
    const key = keyOf(peer, target);
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const made = { up: true, due: this.#modules.clock.monotonic(), avoidUntil: 0, asking: false };
    this.#states.set(key, made);
    return made;
  }

  #tick(): void {
    const { clock, peers } = this.#modules;
    const now = clock.monotonic();
    const current = new Set<string>();
    for (const peer of peers.table.peers)
      for (const target of peer.targets) {
        current.add(keyOf(peer, target));
        const state = this.#state(peer, target);
        if (peer.optionsSeconds > 0 && !state.asking && state.due <= now) this.#ask(peer, target, state);
      }
    for (const key of this.#states.keys()) if (!current.has(key)) this.#states.delete(key);
    this.#timer = clock.setTimer(TICK_MS, () => this.#tick());
  }

  #ask(peer: Peer, target: TrunkTarget, state: TargetState): void {
    const { clock, originate, tag, homeDomain } = this.#modules;
    state.asking = true;
    let open = true;
    const done = (well: boolean): void => {
      if (!open) return;
      open = false;
      timer.cancel();
      state.asking = false;
      this.#found(peer, target, state, well);
      const seconds = well ? peer.optionsSeconds : Math.min(peer.optionsSeconds, RETRY_SECONDS);
      state.due = clock.monotonic() + seconds * 1000;
    };
    const timer = clock.setTimer(PROBE_MS, () => done(false));
    const uri = uriToString(target.uri);
    const options = SipMessage.request("OPTIONS", uri)
      .append("From", `<sip:${homeDomain}>;tag=${tag()}`)
      .append("To", `<${uri}>`)
      .append("Call-ID", `${tag()}${++this.#calls}`)
      .append("CSeq", "1 OPTIONS")
      .append("Accept", "application/sdp");
    originate(
      options,
      { kind: "uri", side: "peer", uri: target.uri },
      {
        // What it answers does not matter, but for who says that it cannot serve (RFC 3261 §21.5.4).
        onFinal: (response, local) => done(!local && response.status !== 503),
      },
    );
  }

  #found(peer: Peer, target: TrunkTarget, state: TargetState, well: boolean): void {
    const { log } = this.#modules;
    const fields = { peer: peer.name, target: target.text };
    if (well && !state.up) log.info(fields, "a target of a peer answers again");
    if (!well && state.up)
      log.warn({ ...fields, problemId: bonoProblems.targetAway.id }, "a target of a peer does not answer");
    state.up = well;
    if (well) state.avoidUntil = 0;
  }
}

function keyOf(peer: Peer, target: TrunkTarget): string {
  return `${peer.name} ${target.text}`;
}
