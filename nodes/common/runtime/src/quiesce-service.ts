import type { Logger } from "./log/logger.ts";
import { runtimeProblems } from "./problems.ts";
import type { Service } from "./service.ts";

export interface QuiesceRequest {
  readonly services: readonly Service[];
  readonly log: Logger;
  /** The longest wait. */
  readonly graceMs: number;
  /** Aborts when nobody wants to wait any longer. */
  readonly hurry: AbortSignal;
}

/** Waits until the services have ended what is in progress, or the time is over, or it has to hurry; says in the log which it was. */
export async function quiesceService({ services, log, graceMs, hurry }: QuiesceRequest): Promise<void> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), graceMs).unref();
  const signal = AbortSignal.any([over.signal, hurry]);
  await settled(Promise.all(services.map((service) => service.quiesce(signal))), signal).catch(
    (err: unknown) => log.error({ err, problemId: runtimeProblems.defect.id }, "quiesce failed"),
  );
  clearTimeout(timer);
  const busy = Object.assign({}, ...services.map((service) => service.busy?.() ?? {}));
  const problemId = runtimeProblems.stopIncomplete.id;
  if (signal.aborted)
    log.warn({ busy, problemId }, "not everything in progress has ended: deadline, or asked again");
  else log.info({ busy }, "nothing is in progress any more");
}

/** The work's end, or the signal's abort if that comes first. */
function settled(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    work.then(resolve, reject);
  });
}
