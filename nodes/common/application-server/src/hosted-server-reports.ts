import type { Clock, Logger, MetricsRegister } from "@ims/runtime";
import type { HostedOutcome, HostedServerModules } from "./hosted-server.ts";
import { applicationServerProblems } from "./problems.ts";

export interface ReportParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly register: MetricsRegister;
  /** First part of the metric's name. */
  readonly metricsPrefix: string;
  /** Of all servers of the process. */
  readonly names: readonly string[];
}

const OUTCOMES = ["asked", "failed", "late", "skipped", "slow"] as const satisfies readonly HostedOutcome[];
/** Who fails again and again by the same error is told of so often, ms. */
const TOLD_EVERY_MS = 10_000;
const MAX_TOLD = 200;

/** Counts and tells what hosted servers do. A server that fails with every call does not fill the log. */
export function hostedServerReports(parts: ReportParts): HostedServerModules {
  const { clock, log, register, metricsPrefix, names } = parts;
  const counter = register.counter({
    name: `${metricsPrefix}_application_server_requests_total`,
    help: "Requests at application servers in this process: asked; failed: it threw; late: it did nothing in time; skipped: not asked, late too often; slow: it held up the process",
    labels: { server: names, outcome: OUTCOMES },
  });
  const told = new Map<string, { at: number; more: number }>();
  const tell = (key: string, write: (more: number) => void): void => {
    const now = clock.monotonic();
    const before = told.get(key);
    if (before !== undefined && now - before.at < TOLD_EVERY_MS) {
      before.more++;
      return;
    }
    if (told.size >= MAX_TOLD) told.clear();
    told.set(key, { at: now, more: 0 });
    write(before?.more ?? 0);
  };
  return {
    clock,
    counters: { server: (server, outcome) => counter.inc({ server, outcome }) },
    onFailure: (server, error, request) =>
      tell(`${server} ${error instanceof Error ? error.message.slice(0, 100) : "failed"}`, (more) =>
        log.error(
          {
            ...{ err: error, server, method: request?.method, callId: request?.callId, more },
            problemId: applicationServerProblems.serverFailed.id,
          },
          "application server failed",
        ),
      ),
    onSlow: (server, how, ms) =>
      tell(`${server} ${how}`, (more) =>
        log.warn(
          { server, ms: Math.round(ms), more, problemId: applicationServerProblems.serverLate.id },
          how === "late"
            ? "application server did nothing with a request in time"
            : "application server held up the process",
        ),
      ),
  };
}
