import { setTimeout as delay } from "node:timers/promises";
import type { Audit } from "../history/operations.ts";
import type { Random } from "../random.ts";
import { call, strayAnswer } from "./call.ts";
import { Callee, type CalleePlan } from "./callee.ts";
import { recover, register } from "./registration.ts";
import { Ue } from "./ue.ts";
import type { World } from "./world.ts";

export interface Subscriber {
  readonly user: string;
  readonly password: string;
}

export interface LoadOptions {
  readonly subscribers: readonly Subscriber[];
  readonly transports: readonly ("udp" | "tcp")[];
  /** Address of UEs. */
  readonly address: string;
  readonly registersPerSecond: number;
  readonly callsPerSecond: number;
  /** Silence after which UEs try another edge node, ms; as usual when absent. */
  readonly silenceMs?: number | undefined;
}

/**
 * UEs that register, renew, leave and come back, and call each other, at given mean rates. The first sixth of the
 * subscribers have two devices; a third come and go; the others stay registered and talk.
 */
export class Load {
  readonly world: World;
  readonly #options: LoadOptions;
  readonly #random: Random;
  readonly #plans = new Map<string, CalleePlan>();
  readonly ues: Ue[] = [];
  readonly #talkers: Ue[] = [];
  readonly #visitors: Ue[] = [];
  #running = false;
  #open = 0;

  constructor(world: World, options: LoadOptions) {
    this.world = world;
    this.#options = options;
    this.#random = world.random.fork("load");
    const { subscribers, transports, address, silenceMs } = options;
    const add = (subscriber: Subscriber, index: number, group: Ue[]): void => {
      const transport = transports[index % transports.length] ?? "udp";
      const home = Math.floor(index / transports.length);
      const device = `d${this.ues.length + 1}`;
      const waits = silenceMs === undefined ? {} : { silenceMs };
      const ue = new Ue(world, { ...subscriber, device, transport, address, home, ...waits });
      const callee = new Callee(ue, this.#plans);
      ue.onRequest = (request, reply) => callee.receive(request, reply);
      ue.onStray = (response) => strayAnswer(ue, response);
      ue.onLost = () => recover(ue, ue.registeredAt?.name ?? "");
      this.ues.push(ue);
      group.push(ue);
    };
    subscribers.forEach((subscriber, index) => {
      const share = index / subscribers.length;
      add(subscriber, index, share < 1 / 2 ? this.#visitors : this.#talkers);
      if (share < 1 / 6) add(subscriber, index + 1, this.#visitors);
    });
  }

  /** Registers every device; says which could not. */
  async registerAll(): Promise<string[]> {
    const failed: string[] = [];
    const waiting = [...this.ues];
    const work = async (): Promise<void> => {
      for (let ue = waiting.pop(); ue !== undefined; ue = waiting.pop()) {
        const { outcome, status } = await register(ue, "initial");
        if (outcome !== "ok") failed.push(`${ue.aor} ${ue.options.device}: ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return failed;
  }

  /** UEs that had to move go back, so that no edge node has all of them. Only while the load pauses. */
  async spread(): Promise<void> {
    for (const ue of this.ues) if (ue.wanted && !ue.closed && ue.goHome()) await register(ue, "refresh");
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    const { registersPerSecond, callsPerSecond } = this.#options;
    void this.#arrivals(registersPerSecond, () => this.#registration());
    void this.#arrivals(callsPerSecond, () => this.#call());
  }

  /** No new procedures; resolves when those begun are over, or after `within` ms. */
  async pause(within = 25_000): Promise<void> {
    this.#running = false;
    const until = this.world.now() + within;
    while (this.world.now() < until && (this.#open > 0 || this.ues.some(({ busy }) => busy > 0)))
      await delay(20);
  }

  /** What each AoR looks like now: a fetch lists its devices, an OPTIONS reaches one. */
  async audit(): Promise<Audit[]> {
    const { history } = this.world;
    const byAor = [...Map.groupBy(this.ues, ({ aor }) => aor).values()];
    const audits: Audit[] = [];
    const work = async (): Promise<void> => {
      for (let devices = byAor.pop(); devices !== undefined; devices = byAor.pop())
        audits.push(await this.#auditOne(devices));
    };
    await Promise.all(Array.from({ length: 8 }, work));
    history.audits.push(...audits);
    return audits;
  }

  close(): void {
    this.#running = false;
    for (const ue of this.ues) ue.close();
  }

  async #auditOne(devices: readonly Ue[]): Promise<Audit> {
    const [first] = devices;
    if (first === undefined) throw new RangeError("an AoR without a device");
    const { history, now } = this.world;
    const fetched = await register(first, "fetch");
    const deliveriesBefore = history.deliveries.length;
    const prober = this.#talkers.find(
      (ue) => ue.aor !== first.aor && ue.registeredAt !== undefined && ue.settled,
    );
    let status = 0;
    for (let tries = 0; tries < 2 && prober !== undefined && status !== 200; tries++) {
      if (tries > 0) await register(prober, "refresh");
      const callId = prober.newId("audit");
      const options = prober.request("OPTIONS", first.aor, {
        from: `<${prober.aor}>;tag=${callId}`,
        to: `<${first.aor}>`,
        callId,
        cseq: 1,
      });
      for (const route of prober.serviceRoute) options.append("Route", route);
      const answer = await prober.ask(options);
      if (answer.kind === "final") status = answer.response.status;
    }
    const reached = history.deliveries
      .slice(deliveriesBefore)
      .filter(({ aor }) => aor === first.aor)
      .map(({ device }) => device);
    return {
      aor: first.aor,
      at: now(),
      reached,
      status,
      ...(fetched.outcome === "ok" && fetched.seen !== undefined ? { listed: fetched.seen } : {}),
    };
  }

  async #arrivals(perSecond: number, arrive: () => Promise<unknown> | undefined): Promise<void> {
    if (perSecond <= 0) return;
    let next = this.world.now();
    while (this.#running) {
      next += this.#random.gap(perSecond);
      await delay(Math.max(0, next - this.world.now()));
      if (!this.#running) return;
      const begun = arrive();
      if (begun === undefined) continue;
      this.#open++;
      void begun.finally(() => {
        this.#open--;
      });
    }
  }

  #registration(): Promise<unknown> | undefined {
    const idle = this.ues.filter(({ busy }) => busy === 0);
    if (idle.length === 0) return undefined;
    const ue = this.#random.pick(idle);
    const luck = this.#random.next();
    if (ue.registeredAt === undefined) return register(ue, "initial");
    if (luck < 0.25) return register(ue, "initial");
    if (luck < 0.5 && this.#visitors.includes(ue)) return register(ue, "remove");
    return register(ue, "refresh");
  }

  #call(): Promise<unknown> | undefined {
    const ready = this.#talkers.filter((ue) => ue.registeredAt !== undefined && ue.settled);
    if (ready.length < 2) return undefined;
    const caller = this.#random.pick(ready);
    const others = this.#talkers.filter((ue) => ue !== caller);
    const callee = this.#random.pick(others);
    const hold = this.#random.between(300, 1500);
    const endedBy = this.#random.next() < 0.7 ? "caller" : "callee";
    const ring = this.#random.between(40, 160);
    const done = call(caller, callee, { hold, endedBy });
    const id = this.world.history.calls.at(-1)?.id ?? "";
    this.#plans.set(id, { ring, hold: endedBy === "callee" ? hold : undefined });
    return done.finally(() => this.#plans.delete(id));
  }
}
