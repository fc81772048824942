import { flushCompileCache } from "node:module";
import type { LoadResult } from "./config/load.ts";
import { letHeapGrow } from "./engine.ts";
import { type HostedNode, hostNode, type LoadedNode } from "./hosted-node.ts";
import { standardOutput } from "./log/logger.ts";
import { loopPacer } from "./loop-pacer.ts";
import { runtimeProblems } from "./problems.ts";
import { quiesceService } from "./quiesce-service.ts";
import { stopInReverse } from "./service.ts";
import type { ServiceOptions } from "./service-options.ts";
import { describeFailure, isDefect } from "./start-failure.ts";
import { strayErrors } from "./stray-errors.ts";
import { workerChannel } from "./worker-channel.ts";

/** A node with its options still to be read. */
export interface Runnable {
  readonly name: string;
  load(): LoadedNode | Exclude<LoadResult<ServiceOptions>, { readonly kind: "loaded" }>;
}

/** A stop that takes longer than this is broken off. */
const STOP_DEADLINE_MS = 5000;

/**
 * Runs nodes as this process, each with options, log, health and management port of its own; they are started in the given order and end in the
 * reverse one. SIGTERM: quiesce, then stop; SIGINT, or the loss of the parent's IPC channel: stop; SIGUSR2: between
 * the log level debug and the configured one. A failure of one ends all.
 * Exit codes: 0 stopped, 1 could not start or failed while running, 2 wrong options.
 */
export async function runServices(runnables: readonly Runnable[]): Promise<void> {
  letHeapGrow();
  const destination = standardOutput();
  const nodes: HostedNode[] = [];
  const mistakes: string[] = [];
  for (const { name, load } of runnables) {
    const loaded = load();
    if (loaded.kind === "help") return end(0, loaded.text, process.stdout);
    if (loaded.kind === "invalid") {
      mistakes.push(...loaded.lines);
      continue;
    }
    const hosted = hostNode(name, loaded, { destination, reload: load });
    if (typeof hosted === "string") mistakes.push(hosted);
    else nodes.push(hosted);
  }
  if (mistakes.length > 0) return end(2, `${mistakes.join("\n")}\n`, process.stderr);

  const exit = (code: number): never => {
    flush(destination);
    process.exit(code);
  };
  const fail = (err: unknown, what: string): never => {
    for (const { health } of nodes) health.set("failed");
    nodes[0]?.log.fatal({ err, problemId: runtimeProblems.programError.id }, what);
    return exit(1);
  };
  const strays = strayErrors();
  process.on("uncaughtException", (error) => strays.taken(error) || fail(error, "uncaught exception"));
  process.on("unhandledRejection", (reason) => strays.taken(reason) || fail(reason, "unhandled rejection"));

  let ending = false;
  let asked = 0;
  const quiesce = new AbortController();
  async function stop(reason: string, graceful: boolean): Promise<void> {
    asked++;
    if (asked > 2) exit(0); // stopping takes too long for whoever asks a third time
    if (ending) return quiesce.abort(); // asked twice: do not wait any longer
    ending = true;
    for (const node of [...nodes].reverse()) {
      const { log, health, services, quiesceSeconds } = node;
      const graceSeconds = graceful && !quiesce.signal.aborted ? quiesceSeconds : 0;
      const wasReady = health.state === "ready";
      health.set("quiescing");
      log.info({ reason, graceSeconds }, "stopping");
      if (wasReady && graceSeconds > 0)
        await quiesceService({ services, log, graceMs: graceSeconds * 1000, hurry: quiesce.signal });
      const deadline = setTimeout(
        () => fail(new Error(`not stopped within ${STOP_DEADLINE_MS} ms`), "stop failed"),
        STOP_DEADLINE_MS,
      ).unref();
      node.takeBack();
      await stopInReverse(services).catch((err: unknown) => fail(err, "stop failed"));
      clearTimeout(deadline);
      log.info({}, "stopped");
    }
    exit(0);
  }
  process.on("SIGTERM", () => void stop("SIGTERM", true));
  process.on("SIGINT", () => void stop("SIGINT", false));
  process.on("SIGUSR2", () => {
    for (const { level } of nodes) level.toggle();
  });
  if (process.send !== undefined)
    process.on("disconnect", () => void stop("the parent process is gone", false));

  // Before anything is served, since it takes its time once: who is killed leaves no cache (NODE_COMPILE_CACHE) behind.
  flushCompileCache();

  // The node that starts last is the one nearest to the users.
  const { coalesceAboveRate = 0, coalesceMs = 0 } = nodes.at(-1)?.options ?? {};
  const pacer = loopPacer({ aboveRate: coalesceAboveRate, pauseMs: coalesceMs });
  for (const node of nodes) {
    try {
      const workers = node.options.worker === 0 ? undefined : workerChannel();
      await node.start({ pacer, strayErrors: strays, workers });
    } catch (error) {
      if (ending) return; // stopped while starting: the stop reports
      // A stack helps with a defect; what an operator can put right is told in one line.
      const problemId = runtimeProblems.cannotStart.id;
      if (isDefect(error)) node.log.fatal({ err: error, problemId }, "cannot start");
      else node.log.fatal({ reason: describeFailure(error), problemId }, "cannot start");
      for (const { services } of [...nodes].reverse()) await stopInReverse(services).catch(() => {}); // the failure to start is the one to report
      process.stderr.write(`${node.name}: cannot start: ${describeFailure(error)}\n`);
      exit(1);
    }
    if (ending) return;
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
