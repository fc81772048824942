import {
  type AlarmList,
  alarmList,
  alarmRecord,
  createHealth,
  type ManagementAnswer,
  type MetricsRegister,
  managementServer,
  metricsRegister,
} from "@ims/runtime";
import { tidewaterProblems } from "../../problems.ts";
import { mergedMetrics } from "./merged-metrics.ts";

/** How long a worker may take to answer, ms. */
const ANSWER_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 1_000;

/** One of the processes of a node, as it is now. */
export interface Worker {
  /** Counts from 1. */
  readonly number: number;
  /** http://address:port of its own management port; undefined: it does not run. */
  readonly url: string | undefined;
  /** "ready", "starting", "down". */
  readonly state: string;
  readonly restarts: number;
}

export interface WorkersManagementOptions {
  /** The node: bono, sprout. */
  readonly node: string;
  readonly address: string;
  readonly port: number;
  readonly token?: string | undefined;
  readonly workers: () => readonly Worker[];
}

export interface WorkersManagement {
  /** The port listened on; rejects when it cannot be had. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

type Told = { readonly worker: Worker; readonly text: string | undefined; readonly status: number };

/**
 * One management port for a node of several workers: /metrics of all with the label `worker`, /health/ready when all are, /alarms of all,
 * and an alarm for a worker that does not run. Everything else is asked of a worker; /workers says where.
 */
export function workersManagement(options: WorkersManagementOptions): WorkersManagement {
  const { node, address, port, token, workers } = options;
  const alarms = alarmList();
  alarms.watch(tidewaterProblems.workerDown, () =>
    workers()
      .filter(({ state }) => state !== "ready")
      .map(({ number, state, restarts }) => ({
        object: `worker ${number}`,
        text: `${state}; started again ${restarts} times`,
      })),
  );
  const health = createHealth(alarms);
  health.set("ready");
  const all = (path: string): Promise<Told[]> => Promise.all(workers().map((worker) => ask(worker, path)));
  const register = metricsRegister();
  register.gauge({
    name: `ims_${node}_workers`,
    help: "Workers of the node",
    value: () => workers().length,
  });
  register.gauge({
    name: `ims_${node}_workers_ready`,
    help: "Workers that do their work",
    value: () => workers().filter(({ state }) => state === "ready").length,
  });
  register.gauge({
    name: `ims_${node}_worker_restarts_total`,
    help: "Workers that were started again because they had ended",
    type: "counter",
    value: () => workers().reduce((sum, { restarts }) => sum + restarts, 0),
  });
  const server = managementServer(
    { address, port, token },
    {
      register,
      health,
      routes: [
        {
          path: "/metrics",
          methods: ["GET"],
          answer: async () => metricsOf(await all("/metrics"), register),
        },
        {
          path: "/health/ready",
          methods: ["GET"],
          answer: async () => readinessOf(await all("/health/ready")),
        },
        {
          path: "/alarms",
          methods: ["GET"],
          answer: async () => alarmsOf(node, alarms, await all("/alarms")),
        },
        { path: "/workers", methods: ["GET"], answer: () => json({ node, workers: workers() }) },
      ],
    },
  );
  let timer: NodeJS.Timeout | undefined;
  return {
    async start() {
      await server.start();
      timer = setInterval(() => alarms.look(), LOOK_EVERY_MS).unref();
      return server.port;
    },
    async stop() {
      clearInterval(timer);
      await server.stop();
    },
  };
}

async function ask(worker: Worker, path: string): Promise<Told> {
  if (worker.url === undefined) return { worker, text: undefined, status: 0 };
  try {
    const response = await fetch(`${worker.url}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return { worker, text: await response.text(), status: response.status };
  } catch {
    return { worker, text: undefined, status: 0 };
  }
}

async function metricsOf(told: readonly Told[], register: MetricsRegister): Promise<ManagementAnswer> {
  const texts = told.flatMap(({ worker, text, status }) =>
    text === undefined || status !== 200 ? [] : [{ worker: worker.number, text }],
  );
  return {
    status: 200,
    type: register.contentType,
    body: `${mergedMetrics(texts)}\n${await register.scrape()}`,
  };
}

function readinessOf(told: readonly Told[]): ManagementAnswer {
  const wrong = told.flatMap(({ worker, text, status }) => {
    if (status === 200) return [];
    const why =
      text === undefined
        ? worker.state === "ready"
          ? "does not answer"
          : worker.state
        : text.trim().replaceAll("\n", ", ");
    return [`worker ${worker.number}: ${why}\n`];
  });
  const ready = wrong.length === 0;
  return {
    status: ready ? 200 : 503,
    type: "text/plain; charset=utf-8",
    body: ready ? "ready\n" : wrong.join(""),
  };
}

type Listed = { readonly active?: unknown; readonly cleared?: unknown; readonly dropped?: unknown };

/** Those of the workers with their number, and ours. */
function alarmsOf(node: string, alarms: AlarmList, told: readonly Told[]): ManagementAnswer {
  const lists = told.map(({ worker, text, status }) => ({
    number: worker.number,
    list: text === undefined || status !== 200 ? {} : (JSON.parse(text) as Listed),
  }));
  const every = (what: "active" | "cleared"): object[] =>
    lists.flatMap(({ number, list }) =>
      Array.isArray(list[what]) ? list[what].map((one: object) => ({ ...one, worker: number })) : [],
    );
  return json({
    node,
    active: [...alarms.active().map(alarmRecord), ...every("active")],
    cleared: [...alarms.cleared().map(alarmRecord), ...every("cleared")],
    dropped: lists.reduce((sum, { list }) => sum + (typeof list.dropped === "number" ? list.dropped : 0), 0),
    resends: alarms.resends,
  });
}

function json(value: unknown): ManagementAnswer {
  return { status: 200, type: "application/json", body: `${JSON.stringify(value)}\n` };
}
