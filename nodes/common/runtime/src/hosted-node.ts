import { alarmList } from "./alarm/alarm-list.ts";
import { registerAlarmMetrics } from "./alarm/alarm-metrics.ts";
import { alarmRoutes } from "./alarm/alarm-routes.ts";
import { alarmWatcher } from "./alarm/alarm-watcher.ts";
import { diskWatcher } from "./alarm/disk-alarm.ts";
import { watchMemory } from "./alarm/memory-alarm.ts";
import { systemClock } from "./clock.ts";
import { configWatcher } from "./config/config-watcher.ts";
import { LiveConfig } from "./config/live-config.ts";
import type { LoadResult } from "./config/load.ts";
import type { ShownOption } from "./config/shown-options.ts";
import { createHealth, type Health } from "./health.ts";
import { LogLevelSwitch } from "./log/log-level.ts";
import { logRoutes } from "./log/log-routes.ts";
import { createLogger, type LogDestination, type Logger, type LogLevel } from "./log/logger.ts";
import { RecentLines } from "./log/recent-lines.ts";
import { aboutRoute } from "./management/about-route.ts";
import { writeRunFile } from "./management/run-file.ts";
import { registerProcessMetrics } from "./metrics/process-metrics.ts";
import { metricsRegister } from "./metrics/register.ts";
import { managementToken } from "./metrics/resources.ts";
import { managementServer } from "./metrics/server.ts";
import { runtimeProblems } from "./problems.ts";
import { type Service, startInOrder } from "./service.ts";
import type { ServiceModules } from "./service-modules.ts";
import type { ServiceOptions } from "./service-options.ts";
import { describeFailure } from "./start-failure.ts";
import { exportsOf } from "./trail/exports.ts";
import { Trail } from "./trail/trail.ts";
import { recentRoute, trailRoute } from "./trail/trail-route.ts";
import { VERSION } from "./version.ts";

/** A node whose options have been read. */
export type LoadedNode = Extract<LoadResult<ServiceOptions>, { readonly kind: "loaded" }> & {
  readonly shown: Readonly<Record<string, ShownOption>>;
  create(modules: ServiceModules): Service | Promise<Service>;
  rehearse(modules: Pick<ServiceModules, "pacer">): Promise<unknown>;
};

/** What a parent with an IPC channel is told once a node does its work. */
export interface ReadyMessage {
  readonly ready: true;
  readonly node: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** A node with what every node has: log, health, metrics, management port, trail. */
export interface HostedNode {
  readonly name: string;
  readonly options: ServiceOptions;
  /** Longest wait for work in progress, s. */
  readonly quiesceSeconds: number;
  readonly log: Logger;
  readonly health: Health;
  readonly level: LogLevelSwitch;
  /** In the order in which they were started. */
  readonly services: readonly Service[];
  /** Resolves when it does its work; rejects when it cannot. */
  start(ofProcess: Pick<ServiceModules, "pacer" | "strayErrors" | "workers">): Promise<void>;
  /** Nobody finds its management port any more. */
  takeBack(): void;
}

/** What reading the options of a node again gives. */
export type Reload = () => LoadedNode | Exclude<LoadResult<ServiceOptions>, { readonly kind: "loaded" }>;

/** Makes what the node needs of its process; a text says which file that an option names cannot be used. `reload`: when its files have changed. */
export function hostNode(
  name: string,
  loaded: LoadedNode,
  { destination, reload }: { readonly destination: LogDestination; readonly reload: Reload },
): HostedNode | string {
  const { options, sources, create, rehearse, files } = loaded;
  const token = tokenIn(options);
  if (token.kind === "invalid") return `${name}: ${token.line}`;
  const recent = new RecentLines();
  const { logLevel, worker } = options;
  const log = createLogger({ name, level: logLevel, worker, destination: recent.before(destination) });
  const register = metricsRegister();
  const alarms = alarmList({ looks: () => health.state === "ready" });
  const health = createHealth(alarms);
  const clock = systemClock({
    onError: (err) =>
      log.error({ err, problemId: runtimeProblems.clockFailed.id }, "a timer callback failed"),
  });
  const level = new LogLevelSwitch(options.logLevel, { log, clock });
  const live = new LiveConfig(loaded, { log, alarms, files });
  live.follow<LogLevel>("logLevel", (now) => void level.configure(now));
  let { quiesceSeconds } = options;
  live.follow<number>("quiesceSeconds", (now) => {
    quiesceSeconds = now;
    return true;
  });
  registerProcessMetrics(register);
  registerAlarmMetrics(register, alarms);
  watchMemory(alarms);
  const { managementAddress: address, managementPort: port, trailBytes: bytes, trailSteps: steps } = options;
  const { cell, zone } = options;
  const trail = bytes === 0 ? undefined : new Trail({ bytes, steps, clock });
  const routes = [
    ...alarmRoutes(name, alarms),
    ...logRoutes(level, recent),
    aboutRoute({ node: name, version: VERSION, options: () => live.shown, place: { cell, zone } }, health),
    trailRoute(name, trail),
    recentRoute(name, trail),
  ];
  const management = managementServer({ address, port, token: token.token }, { register, health, routes });
  const readAgain = (): void => {
    const reading = reload();
    if (reading.kind !== "help") live.take(reading);
  };
  const services: Service[] = [
    management,
    alarmWatcher(alarms, { clock, log }),
    configWatcher(files, clock, readAgain),
  ];
  for (const option of ["stateDir", "cdrDir"]) {
    const folder = (options as Readonly<Record<string, unknown>>)[option];
    if (typeof folder === "string" && folder !== "") services.push(diskWatcher(folder, { alarms, clock }));
  }
  const exports = exportsOf(name, options, { trail, clock, register, log });
  if (typeof exports === "string") return exports;
  services.push(...exports);
  let takeBack = (): void => undefined;
  return {
    ...{ name, options, log, health, level, services },
    get quiesceSeconds() {
      return quiesceSeconds;
    },
    async start(ofProcess) {
      await startInOrder(services);
      await rehearse(ofProcess).catch((err: unknown) =>
        log.info({ err }, "the rehearsal failed: the first requests will take longer"),
      );
      const service = await create({ log, register, clock, health, trail, live, ...ofProcess });
      services.push(service);
      management.serve(service.resources?.() ?? new Map());
      await service.start();
      if (health.state === "quiescing") return;
      health.set("ready");
      const ports = { management: management.port, ...service.ports?.() };
      log.info({ ports, options: Object.fromEntries(sources) }, "ready");
      if (options.runDir !== "")
        takeBack = await writeRunFile(options.runDir, { node: name, address, port: management.port }).catch(
          (err: unknown) => {
            const problemId = runtimeProblems.runFileUnwritten.id;
            log.warn({ err, problemId }, "where the management port is cannot be written");
            return () => undefined;
          },
        );
      process.send?.({ ready: true, node: name, ports } satisfies ReadyMessage);
    },
    takeBack: () => takeBack(),
  };
}

type TokenResult =
  | { readonly kind: "token"; readonly token: string | undefined }
  | { readonly kind: "invalid"; readonly line: string };

/** The token of the management port. */
function tokenIn({ managementTokenFile }: ServiceOptions): TokenResult {
  try {
    return { kind: "token", token: managementToken(managementTokenFile) };
  } catch (error) {
    return { kind: "invalid", line: `--management-token-file: ${describeFailure(error)}` };
  }
}
