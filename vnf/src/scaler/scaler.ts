import type { Outcome, Run } from "../lcm/outcome.ts";
import { scalePool } from "../lcm/scale.ts";
import type { PoolState, VnfDriver } from "../lcm/vnf-driver.ts";
import type { VnfModel } from "../model/model.ts";
import { OpenStackError } from "../openstack/errors.ts";
import type { Pace } from "../openstack/pace.ts";
import type { Tolerance } from "../placement/cells.ts";
import { scalingSteps } from "../placement/steps.ts";
import { type Decision, decide } from "./decision.ts";
import type { JoinTokenReading } from "./join-token-file.ts";
import type { Sample } from "./prometheus.ts";
import type { ScalerConfig } from "./scaler-config.ts";
import type { ScalerState, StateFile } from "./scaler-state.ts";
import type { Wish } from "./webhook.ts";

export interface ScalerModules {
  readonly config: ScalerConfig;
  readonly driver: VnfDriver;
  readonly model: VnfModel;
  readonly pace: Pace;
  readonly state: StateFile;
  /** Undefined: no Prometheus is configured. */
  readonly query?: (promql: string) => Promise<Sample>;
  /** Undefined: members that come get the token that the stack has. Read before each growth, since tokens expire. */
  readonly joinToken?: () => JoinTokenReading;
  readonly log: (line: string) => void;
  readonly dryRun: boolean;
  /** ms an operation may take. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

type Operation = NonNullable<ScalerState["operation"]>;

const TRIES = 3;
/** A wish of a webhook that could not be followed yet is forgotten after this. */
const WISH_MS = 600_000;

/**
 * Looks at the pools, one after the other, and changes at most one at a time: a turn ends when its operation has ended.
 * What was begun is written down before, so that a scaler that is started again goes on with it.
 */
export class Scaler {
  readonly #modules: ScalerModules;
  readonly #samples = new Map<string, ReadonlyMap<string, number | undefined>[]>();
  readonly #wishes = new Map<string, Wish & { readonly at: number }>();
  readonly #told = new Map<string, string>();
  #state: ScalerState;
  #turn: Promise<void> | undefined;

  constructor(modules: ScalerModules, state: ScalerState) {
    this.#modules = modules;
    this.#state = state;
  }

  /** Takes a wish; the next turn looks at it. A wish to grow is not put off by one to shrink. False: no such pool. */
  wish(wish: Wish): boolean {
    const { config, pace, log } = this.#modules;
    if (!Object.hasOwn(config.pools, wish.pool)) return false;
    const before = this.#wishes.get(wish.pool);
    if (before?.direction === "out" && wish.direction === "in" && pace.now() - before.at < WISH_MS)
      return true;
    if (before?.direction !== wish.direction)
      log(`${wish.pool}: ${wish.from} asks to scale ${wish.direction}`);
    this.#wishes.set(wish.pool, { ...wish, at: pace.now() });
    return true;
  }

  /** One turn; while one is going on, that one. */
  turn(): Promise<void> {
    this.#turn ??= this.#look().finally(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  async #look(): Promise<void> {
    const { config, log, signal } = this.#modules;
    try {
      if (this.#state.operation !== undefined && !this.#modules.dryRun) {
        await this.#goOn();
        return;
      }
      for (const pool of Object.keys(config.pools)) {
        signal?.throwIfAborted();
        if (await this.#lookAt(pool)) return;
      }
    } catch (error) {
      if (signal?.aborted === true) return;
      if (!(error instanceof OpenStackError)) throw error;
      this.#tell("", `cannot look: ${error.message}`, log);
    }
  }

  /** True: something was changed. */
  async #lookAt(name: string): Promise<boolean> {
    const { config, driver, pace, dryRun, log, signal } = this.#modules;
    const pool = config.pools[name];
    if (pool === undefined) return false;
    await this.#sample(name);
    const instance = await driver.find(config.vnf, signal);
    const now = instance?.pools.find((one) => one.pool === name);
    if (instance === undefined || now === undefined) {
      this.#tell(
        name,
        instance === undefined ? `there is no ${config.vnf}` : `${config.vnf} has no such pool`,
        log,
      );
      return false;
    }
    if (instance.state !== "ready") {
      this.#tell(name, `${config.vnf} is ${instance.status}: not touched`, log);
      return false;
    }
    const wish = this.#wishes.get(name);
    if (wish !== undefined && pace.now() - wish.at >= WISH_MS) this.#wishes.delete(name);
    const decision = decide(pool, {
      size: now.size,
      tolerance: this.#toleranceOf(now),
      samples: this.#samples.get(name) ?? [],
      asked: this.#wishes.get(name)?.direction,
      changed: Object.hasOwn(this.#state.changed, name) ? this.#state.changed[name] : undefined,
      now: pace.now(),
    });
    // Members that come without a good token would never get ready: the wish waits for the file.
    const token = decision.kind === "out" ? this.#modules.joinToken?.() : undefined;
    if (token?.kind === "bad") {
      this.#tell(name, `stays at ${now.size}: ${decision.why}, but ${token.problem}`, log);
      return false;
    }
    this.#tell(name, lineOf(decision, now.size, dryRun), log);
    if (decision.kind === "hold") return false;
    this.#wishes.delete(name);
    if (dryRun) return false;
    this.#save({
      ...this.#state,
      operation: { pool: name, from: now.size, to: decision.to, begun: pace.now(), tries: 0 },
    });
    await this.#goOn();
    return true;
  }

  /** Carries out what is written down. */
  async #goOn(): Promise<void> {
    const { config, driver, model, log, pace, timeoutMs, signal } = this.#modules;
    const { operation } = this.#state;
    if (operation === undefined) return;
    const { pool, from, to } = operation;
    const elsewhere = await this.#sizeElsewhere(operation);
    if (elsewhere !== undefined) {
      log(
        `${pool}: has ${elsewhere} members, which is not on the way from ${from} to ${to}: somebody else scales it; what was begun is dropped`,
      );
      this.#end(pool);
      return;
    }
    const token = to > from ? this.#modules.joinToken?.() : undefined;
    if (token?.kind === "bad") {
      this.#tell(pool, `waits on its way to ${to}: ${token.problem}`, log);
      return;
    }
    if (operation.tries > 0) log(`${pool}: going on to ${to}`);
    this.#save({ ...this.#state, operation: { ...operation, tries: operation.tries + 1 } });
    const run: Run = {
      pace,
      timeoutMs,
      progress: (line) => log(`${pool}: ${line}`),
      ...(signal === undefined ? {} : { signal }),
    };
    const outcome: Outcome = await scalePool(
      driver,
      model,
      { name: config.vnf, pool, size: to },
      run,
      token === undefined ? {} : { joinToken: token.token },
    );
    // Interrupted: whoever is started next goes on.
    if (signal?.aborted === true) return;
    if (outcome.kind === "failed" && operation.tries + 1 < TRIES) {
      log(`${pool}: ${outcome.reason}; once more at the next turn`);
      return;
    }
    this.#end(pool);
    if (outcome.kind === "done") {
      log(`${pool}: ${outcome.said}`);
      return;
    }
    log(`${pool}: given up: ${outcome.reason}; ${[...outcome.exists, ...outcome.next].join("; ")}`);
    if (to < from || (await this.#sizeElsewhere(operation)) !== undefined) return;
    // A pool that cannot grow is brought back to the size it had, so that the VNF is not left half changed.
    const back = await scalePool(driver, model, { name: config.vnf, pool, size: from }, run);
    log(`${pool}: back: ${back.kind === "done" ? back.said : back.reason}`);
  }

  /**
   * The size now, if the operation cannot have left it: somebody else has given the pool another one since. Heat has the new size from
   * the moment it takes a step on, even where the step fails, so a half-done operation leaves the size it began at or one of its steps.
   */
  async #sizeElsewhere({ pool, from, to }: Operation): Promise<number | undefined> {
    const { config, driver, signal } = this.#modules;
    const now = (await driver.find(config.vnf, signal))?.pools.find((one) => one.pool === pool);
    if (now === undefined || now.size === from) return undefined;
    return scalingSteps(this.#toleranceOf(now), from, to).includes(now.size) ? undefined : now.size;
  }

  #toleranceOf({ pool, share }: PoolState): Tolerance {
    const members = this.#modules.model.vdus.find((vdu) => vdu.name === pool)?.tolerated.members;
    return { share, ...(members === undefined ? {} : { members }) };
  }

  /** The cool-down begins. */
  #end(pool: string): void {
    const { operation: _, ...rest } = this.#state;
    this.#samples.delete(pool);
    this.#save({ ...rest, changed: { ...rest.changed, [pool]: this.#modules.pace.now() } });
  }

  async #sample(name: string): Promise<void> {
    const { config, query, log } = this.#modules;
    const pool = config.pools[name];
    if (query === undefined || pool === undefined) return;
    const sample = new Map<string, number | undefined>();
    for (const [signal, { query: promql }] of Object.entries(pool.signals)) {
      const value = await query(promql);
      sample.set(signal, value.kind === "value" ? value.value : undefined);
      this.#tell(`${name}.${signal}`, value.kind === "value" ? "known" : value.why, log);
    }
    this.#samples.set(name, [...(this.#samples.get(name) ?? []), sample].slice(-pool.samples));
  }

  #save(state: ScalerState): void {
    this.#modules.state.write(state);
    this.#state = state;
  }

  /** Only what is new. */
  #tell(about: string, line: string, log: (line: string) => void): void {
    const key = line.replace(/[\d.]+/g, "#");
    const before = this.#told.get(about);
    this.#told.set(about, key);
    if (key === before || (before === undefined && line === "known")) return;
    log(about === "" ? line : `${about}: ${line}`);
  }
}

function lineOf(decision: Decision, size: number, dryRun: boolean): string {
  if (decision.kind === "hold") return `stays at ${size}: ${decision.why}`;
  return `${dryRun ? "would go" : "goes"} from ${size} to ${decision.to}: ${decision.why}`;
}
