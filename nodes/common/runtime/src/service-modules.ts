import type { Clock } from "./clock.ts";
import type { LiveOptions } from "./config/live-config.ts";
import type { Health } from "./health.ts";
import type { Logger } from "./log/logger.ts";
import type { LoopPacer } from "./loop-pacer.ts";
import type { MetricsRegister } from "./metrics/register.ts";
import type { StrayErrors } from "./stray-errors.ts";
import type { Trail } from "./trail/trail.ts";
import type { WorkerChannel } from "./worker-channel.ts";

/** What a node is built from beside its options. */
export interface ServiceModules {
  readonly log: Logger;
  readonly register: MetricsRegister;
  readonly clock: Clock;
  readonly health: Health;
  /** One for all sockets of the process. */
  readonly pacer: LoopPacer;
  /** Steps of registrations and calls; undefined: they are not kept. */
  readonly trail?: Trail | undefined;
  /** Options that change while the node runs; undefined: none does. */
  readonly live?: LiveOptions | undefined;
  /** Takes over from here what code of others throws where nobody catches it; default: that ends the process. */
  readonly strayErrors?: Pick<StrayErrors, "claim">;
  /** The other workers of the node; undefined: it is alone. */
  readonly workers?: WorkerChannel | undefined;
}
