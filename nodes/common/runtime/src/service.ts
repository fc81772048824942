import type { Resource } from "./metrics/resources.ts";

/** Something with a life of its own: a node, a listener, a connection pool. */
export interface Service {
  /** Resolves when it does its work; rejects when it cannot. */
  start(): Promise<void>;
  /** Takes no new work; resolves when what is in progress has ended or `signal` aborts. */
  quiesce(signal: AbortSignal): Promise<void>;
  /** What is in progress, by kind; for the log line of a deadline that came first. */
  busy?(): Readonly<Record<string, number>>;
  /** Ends at once, releasing everything. Harmless when not started or already stopped. */
  stop(): Promise<void>;
  /** Ports listened on by name, once started; for whoever started the process. */
  ports?(): Readonly<Record<string, number>>;
  /** What it tells on the management port beside metrics and health, by the first part of the path. */
  resources?(): ReadonlyMap<string, Resource>;
}

/** Starts in the given order; when one fails, those already started are stopped and the failure is thrown. */
export async function startInOrder(services: readonly Service[]): Promise<void> {
  for (const [index, service] of services.entries()) {
    try {
      await service.start();
    } catch (error) {
      await stopInReverse(services.slice(0, index + 1)).catch(() => {}); // the first failure is the one to report
      throw error;
    }
  }
}

/** Stops all of them, last started first; throws the first failure after the last stop. */
export async function stopInReverse(services: readonly Service[]): Promise<void> {
  const failures: unknown[] = [];
  for (const service of [...services].reverse()) {
    try {
      await service.stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Several services as one: started in order, quiesced together, stopped in reverse. */
export function composeServices(services: readonly Service[]): Service {
  return {
    start: () => startInOrder(services),
    async quiesce(signal) {
      await Promise.all(services.map((service) => service.quiesce(signal)));
    },
    stop: () => stopInReverse(services),
    ports: () => Object.assign({}, ...services.map((service) => service.ports?.() ?? {})),
    busy: () => Object.assign({}, ...services.map((service) => service.busy?.() ?? {})),
    resources: () => new Map(services.flatMap((service) => [...(service.resources?.() ?? [])])),
  };
}
