import type { z } from "zod";
import { alarmList } from "./alarm/alarm-list.ts";
import { registerAlarmMetrics } from "./alarm/alarm-metrics.ts";
import { alarmRoutes } from "./alarm/alarm-routes.ts";
import { alarmWatcher } from "./alarm/alarm-watcher.ts";
import { diskWatcher } from "./alarm/disk-alarm.ts";
import { watchMemory } from "./alarm/memory-alarm.ts";
import { type Clock, systemClock } from "./clock.ts";
import { loadOptions } from "./config/load.ts";
import { shownOptions } from "./config/shown-options.ts";
import { createHealth, type Health } from "./health.ts";
import { LogLevelSwitch } from "./log/log-level.ts";
import { logRoutes } from "./log/log-routes.ts";
import { createLogger, type Logger, standardOutput } from "./log/logger.ts";
import { RecentLines } from "./log/recent-lines.ts";
import { type LoopPacer, loopPacer } from "./loop-pacer.ts";
import { aboutRoute } from "./management/about-route.ts";
import { writeRunFile } from "./management/run-file.ts";
import { registerProcessMetrics } from "./metrics/process-metrics.ts";
import { type MetricsRegister, metricsRegister } from "./metrics/register.ts";
import { managementToken } from "./metrics/resources.ts";
import { managementServer } from "./metrics/server.ts";
import { runtimeProblems } from "./problems.ts";
import { type Service, startInOrder, stopInReverse } from "./service.ts";
import { type ServiceOptions, withServiceOptions } from "./service-options.ts";
import { describeFailure, isDefect } from "./start-failure.ts";
import { type StrayErrors, strayErrors } from "./stray-errors.ts";
import { Trail } from "./trail/trail.ts";
import { trailPage } from "./trail/trail-page.ts";
import { VERSION } from "./version.ts";

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
  /** Takes over from here what code of others throws where nobody catches it; default: that ends the process. */
  readonly strayErrors?: Pick<StrayErrors, "claim">;
}

export interface RunServiceRequest<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description?: string;
  readonly options: Schema;
  readonly create: (
    options: z.output<Schema> & ServiceOptions,
    modules: ServiceModules,
  ) => Service | Promise<Service>;
  /** Default: what the process was started with. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a parent with an IPC channel is told once the service does its work. */
export interface ReadyMessage {
  readonly ready: true;
  readonly ports: Readonly<Record<string, number>>;
}

/** A stop that takes longer than this is broken off. */
const STOP_DEADLINE_MS = 5000;

/**
 * Runs one node as this process. SIGTERM: quiesce, then stop; SIGINT, or the loss of the parent's IPC channel: stop;
 * SIGUSR2: between the log level debug and the configured one.
 * Exit codes: 0 stopped, 1 could not start or failed while running, 2 wrong options.
 */
export async function runService<Schema extends z.ZodObject>(
  request: RunServiceRequest<Schema>,
): Promise<void> {
  const { name, create } = request;
  const schema = withServiceOptions(request.options);
  const loaded = loadOptions({
    name,
    ...(request.description === undefined ? {} : { description: request.description }),
    schema,
    argv: request.argv ?? process.argv.slice(2),
    env: request.env ?? process.env,
  });
  if (loaded.kind === "help") return end(0, loaded.text, process.stdout);
  if (loaded.kind === "invalid") return end(2, `${loaded.lines.join("\n")}\n`, process.stderr);
  const options = loaded.options as z.output<Schema> & ServiceOptions;

  const destination = standardOutput();
  const recent = new RecentLines();
  const log = createLogger({ name, level: options.logLevel, destination: recent.before(destination) });
  const register = metricsRegister();
  const alarms = alarmList({ looks: () => health.state === "ready" });
  const health = createHealth(alarms);
  const clock = systemClock({
    onError: (err) =>
      log.error({ err, problemId: runtimeProblems.clockFailed.id }, "a timer callback failed"),
  });
  const level = new LogLevelSwitch(options.logLevel, { log, clock });
  const exit = (code: number): never => {
    flush(destination);
    process.exit(code);
  };
  const fail = (err: unknown, what: string): never => {
    health.set("failed");
    log.fatal({ err, problemId: runtimeProblems.programError.id }, what);
    return exit(1);
  };
  const strays = strayErrors();
  process.on("uncaughtException", (error) => strays.taken(error) || fail(error, "uncaught exception"));
  process.on("unhandledRejection", (reason) => strays.taken(reason) || fail(reason, "unhandled rejection"));

  registerProcessMetrics(register);
  registerAlarmMetrics(register, alarms);
  watchMemory(alarms);
  const shown = shownOptions(schema, options, loaded.sources);
  const management = managementServer(
    {
      address: options.managementAddress,
      port: options.managementPort,
      token: tokenIn(options.managementTokenFile),
    },
    {
      register,
      health,
      routes: [
        ...alarmRoutes(name, alarms),
        ...logRoutes(level, recent),
        aboutRoute({ node: name, version: VERSION, options: shown }, health),
      ],
    },
  );
  const { trailBytes, trailSteps } = options;
  const trail = trailBytes === 0 ? undefined : new Trail({ bytes: trailBytes, steps: trailSteps, clock });
  management.addPage("/trail", trailPage(name, trail));
  const watcher = alarmWatcher(alarms, { clock, log });
  const services: Service[] = [management, watcher];
  for (const option of ["stateDir", "cdrDir"]) {
    const folder = (options as Readonly<Record<string, unknown>>)[option];
    if (typeof folder === "string" && folder !== "") services.push(diskWatcher(folder, { alarms, clock }));
  }
  let ending = false;
  let takeBack = (): void => undefined;
  let asked = 0;
  const quiesce = new AbortController();

  async function stop(reason: string, graceSeconds: number): Promise<void> {
    asked++;
    if (asked > 2) exit(0); // stopping takes too long for whoever asks a third time
    if (ending) return quiesce.abort(); // asked twice: do not wait any longer
    ending = true;
    const wasReady = health.state === "ready";
    health.set("quiescing");
    log.info({ reason, graceSeconds }, "stopping");
    if (wasReady && graceSeconds > 0) {
      setTimeout(() => quiesce.abort(), graceSeconds * 1000).unref();
      await settled(
        Promise.all(services.map((service) => service.quiesce(quiesce.signal))),
        quiesce.signal,
      ).catch((err: unknown) => log.error({ err, problemId: runtimeProblems.defect.id }, "quiesce failed"));
      const busy = Object.assign({}, ...services.map((service) => service.busy?.() ?? {}));
      const problemId = runtimeProblems.stopIncomplete.id;
      if (quiesce.signal.aborted)
        log.warn(
          { busy, asked, problemId },
          "not everything in progress has ended: deadline, or asked again",
        );
      else log.info({ busy }, "nothing is in progress any more");
    }
    setTimeout(
      () => fail(new Error(`not stopped within ${STOP_DEADLINE_MS} ms`), "stop failed"),
      STOP_DEADLINE_MS,
    ).unref();
    takeBack();
    await stopInReverse(services).catch((err: unknown) => fail(err, "stop failed"));
    log.info({}, "stopped");
    exit(0);
  }
  process.on("SIGTERM", () => void stop("SIGTERM", options.quiesceSeconds));
  process.on("SIGINT", () => void stop("SIGINT", 0));
  process.on("SIGUSR2", () => level.toggle());
  if (process.send !== undefined) process.on("disconnect", () => void stop("the parent process is gone", 0));

  try {
    await startInOrder(services);
    const pacer = loopPacer({ aboveRate: options.coalesceAboveRate, pauseMs: options.coalesceMs });
    const service = await create(options, {
      ...{ log, register, clock, health, pacer, trail },
      strayErrors: strays,
    });
    services.push(service);
    management.serve(service.resources?.() ?? new Map());
    await service.start();
    if (ending) return;
    health.set("ready");
    const ports = { management: management.port, ...service.ports?.() };
    log.info({ ports, options: Object.fromEntries(loaded.sources) }, "ready");
    if (options.runDir !== "") {
      const told = { node: name, address: options.managementAddress, port: management.port };
      takeBack = await writeRunFile(options.runDir, told).catch((err: unknown) => {
        const problemId = runtimeProblems.runFileUnwritten.id;
        log.warn({ err, problemId }, "where the management port is cannot be written");
        return () => undefined;
      });
    }
    process.send?.({ ready: true, ports } satisfies ReadyMessage);
  } catch (error) {
    if (ending) return; // stopped while starting: the stop reports
    // A stack helps with a defect; what an operator can put right is told in one line.
    const problemId = runtimeProblems.cannotStart.id;
    if (isDefect(error)) log.fatal({ err: error, problemId }, "cannot start");
    else log.fatal({ reason: describeFailure(error), problemId }, "cannot start");
    await stopInReverse(services).catch(() => {}); // the failure to start is the one to report
    process.stderr.write(`${name}: cannot start: ${describeFailure(error)}\n`);
    exit(1);
  }
}

/** The token of the management port. What is wrong with its file is wrong use. */
function tokenIn(file: string): string | undefined {
  try {
    return managementToken(file);
  } catch (error) {
    process.stderr.write(`--management-token-file: ${describeFailure(error)}\n`);
    process.exit(2);
  }
}

function end(code: number, text: string, stream: NodeJS.WriteStream): void {
  stream.write(text);
  process.exitCode = code;
  if (process.connected) process.disconnect();
}

function flush(destination: { flushSync?(): void }): void {
  try {
    destination.flushSync?.();
  } catch {
    // Nobody reads standard output any more: there is nowhere to report to.
  }
}

/** The work's end, or the signal's abort if that comes first. */
function settled(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    work.then(resolve, reject);
  });
}
