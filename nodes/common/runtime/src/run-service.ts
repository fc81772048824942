import type { z } from "zod";
import { type Clock, systemClock } from "./clock.ts";
import { ConfigError, helpOf, loadOptions } from "./config/load.ts";
import { createHealth, type Health } from "./health.ts";
import { createLogger, type Logger, type LogLevel, standardOutput } from "./log/logger.ts";
import { registerProcessMetrics } from "./metrics/process-metrics.ts";
import { type MetricsRegister, metricsRegister } from "./metrics/register.ts";
import { managementServer } from "./metrics/server.ts";
import type { Service } from "./service.ts";

/** What a composition root gets besides its options. */
export interface ServiceModules {
  readonly log: Logger;
  readonly register: MetricsRegister;
  readonly clock: Clock;
  readonly health: Health;
}

/** Options every node has. */
export interface CommonOptions {
  readonly logLevel: LogLevel;
  readonly managementAddress: string;
  readonly managementPort: number;
}

export interface ServiceDescription<S extends z.ZodObject> {
  readonly name: string;
  readonly options: S;
  create(options: z.output<S>, modules: ServiceModules): Service | Promise<Service>;
}

/** SIGTERM lets work in progress end for this long. */
const QUIESCE_MS = 5_000;

/**
 * Runs one node to its end: options, logger, metrics, management server, service. SIGTERM quiesces and stops, SIGINT stops;
 * exit code 0 after both, 1 when it could not start or a defect surfaced, 2 for wrong options. A parent with an IPC channel
 * is told {ready, ports}; when it goes, the node stops.
 */
export async function runService<S extends z.ZodObject>(description: ServiceDescription<S>): Promise<void> {
  const { name } = description;
  let options: z.output<S> & CommonOptions;
  try {
    const loaded = loadOptions(name, description.options, process.argv.slice(2), process.env);
    if (loaded.help) {
      process.stdout.write(helpOf(name, description.options));
      return;
    }
    options = loaded.options as z.output<S> & CommonOptions;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
    return;
  }

  const destination = standardOutput();
  const log = createLogger({ name, level: options.logLevel, destination });
  const register = metricsRegister();
  const stopMeasuring = registerProcessMetrics(register);
  const health = createHealth();
  const clock = systemClock();
  const management = managementServer(
    { address: options.managementAddress, port: options.managementPort },
    { register, health },
  );
  const end = (code: number): never => {
    stopMeasuring();
    destination.flushSync?.();
    process.exit(code);
  };
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.on(event, (error: unknown) => {
      health.set("failed");
      log.fatal({ err: error }, event);
      process.stderr.write(`${name}: ${event}: ${error instanceof Error ? error.stack : String(error)}\n`);
      end(1);
    });

  let service: Service;
  try {
    await management.start();
    service = await description.create(options, { log, register, clock, health });
    await service.start();
  } catch (error) {
    process.stderr.write(`${name}: cannot start: ${reasonOf(error)}\n`);
    return end(1);
  }
  health.set("ready");
  log.info({ ports: service.ports?.() }, "ready");
  process.send?.({ ready: true, ports: { management: management.port, ...service.ports?.() } });

  let stopping = false;
  const stop = async (quiesce: boolean): Promise<void> => {
    if (stopping) return;
    stopping = true;
    health.set("quiescing");
    try {
      if (quiesce) await service.quiesce(AbortSignal.timeout(QUIESCE_MS));
      await service.stop();
      await management.stop();
    } catch (error) {
      log.error({ err: error }, "stopping failed");
      end(1);
    }
    end(0);
  };
  process.on("SIGTERM", () => void stop(true));
  process.on("SIGINT", () => void stop(false));
  process.on("disconnect", () => void stop(false));
}

/** One line: what an operator can act on. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE")
    return `${error.message}: another program listens there`;
  return error.message;
}
