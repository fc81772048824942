import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { DiameterNode, diameterProblems } from "@ims/diameter";
import { rf } from "@ims/diameter/rf";
import { openPools, runtimeProblems, type Service, type ServiceModules, watchFile } from "@ims/runtime";
import { update } from "@ims/store";
import { withInterval } from "./accounting/account.ts";
import {
  type AccountingRecord,
  decodeSessions,
  encodeSessions,
  nextDue,
} from "./accounting/charging-session.ts";
import { DueSessions } from "./accounting/due-sessions.ts";
import { SESSIONS, sessionsKey } from "./accounting/keys.ts";
import { cdrsOf } from "./cdr/cdr.ts";
import { CdrFiles } from "./cdr/cdr-files.ts";
import { chargingClients } from "./clients.ts";
import { RalfError } from "./errors.ts";
import { noteEvent } from "./event-trail.ts";
import { chargingServer } from "./http/charging-server.ts";
import { makeFolder } from "./make-folder.ts";
import { getMetrics } from "./metrics.ts";
import type { RalfOptions } from "./options.ts";
import { ralfProblems } from "./problems.ts";
import { Intake } from "./queue/intake.ts";
import { QueueDatabase } from "./queue/queue-database.ts";
import { cdfPeers } from "./rf/cdf-peers.ts";
import { Sender } from "./rf/sender.ts";
import { openStores } from "./stores.ts";

const QUIET_MS = 50;
/** Share of the queue from which on an outage of the CDF is critical. */
const NEARLY_FULL = 0.8;

/** Composition root of ralf: charging events in, accounting requests (Rf) and CDR files out. Throws RalfError. */
export async function createRalf(options: RalfOptions, modules: ServiceModules): Promise<Service> {
  const { clock, log, register, health, pacer, trail } = modules;
  const toCdf = options.cdf.length > 0;
  if (!toCdf && options.cdrDir === "")
    throw new RalfError(
      { code: "RALF_NOWHERE" },
      { message: "give --cdf, --cdr-dir or both: otherwise nothing is done with what is charged" },
    );
  const isClient = chargingClients(options.host, options.clients);
  const peers = cdfPeers(options.cdf, options.cdfRealm || options.homeDomain);
  makeFolder("--state-dir", options.stateDir);
  const originHost = options.diameterHost || `ralf.${options.homeDomain}`;
  const stores = await openStores(options, modules);
  const pools = options.poolsFile === "" ? undefined : openPools(options.poolsFile, { clock, log });
  const { alarms } = health;
  watchFile(alarms, options.poolsFile, pools, runtimeProblems.poolsFileRefused);
  const clientPools =
    options.clientPools.length > 0
      ? options.clientPools
      : [`sprout.${options.homeDomain}`, `bono.${options.homeDomain}`];

  // What must not be lost
  const queue = new QueueDatabase(join(options.stateDir, "charging-queue.db"));
  const files =
    options.cdrDir === ""
      ? undefined
      : new CdrFiles(
          {
            folder: options.cdrDir,
            name: fileName(options.diameterHost || hostname()),
            maxBytes: options.cdrMaxMegabytes * 1_000_000,
            maxSeconds: options.cdrMaxSeconds,
          },
          { queue, clock, log },
        );

  // Rf
  const node = new DiameterNode({
    originHost,
    originRealm: options.homeDomain,
    productName: "Tidewater ralf",
    applications: [rf],
    admits: () => false,
    clock,
    pacer,
    log,
    register,
    metricsPrefix: "ims_ralf_diameter",
    trail,
  });
  for (const peer of peers) node.addPeer(peer);

  // From events to records
  const metrics = getMetrics(register, {
    queued: () => queue.queued,
    dead: () => queue.dead,
    pending: () => intake.pending,
    watched: () => due.size,
    cdrs: () => files?.written ?? 0,
  });
  const due = new DueSessions({
    calendar: stores.calendar,
    store: stores.sessions,
    clock,
    log,
    onDue: (key) => intake.due(key),
  });
  const intake = new Intake(options, {
    queue,
    store: stores.sessions,
    clock,
    log,
    counters: metrics.intake,
    newSessionId: sessionIdsOf(originHost, clock.now()),
    toCdf,
    cdrsOf: files === undefined ? () => [] : cdrsOf,
    schedule: (key, at) => due.schedule(key, at),
    onSettled: () => {
      sender.poke();
      files?.poke();
    },
  });
  const onInterval = async ({ event, sessionId }: AccountingRecord, seconds: number): Promise<void> => {
    const key = sessionsKey(event);
    let next: number | undefined;
    const result = await update(stores.sessions, SESSIONS, key, (bytes) => {
      const sessions = bytes && decodeSessions(bytes);
      const changed = sessions && withInterval(sessions, sessionId, seconds, clock.now());
      if (changed === undefined) return { kind: "keep" };
      next = nextDue(changed);
      const last = Math.max(...changed.roles.map(({ lostAt }) => lostAt));
      return {
        kind: "put",
        value: encodeSessions(changed),
        ttlSeconds: Math.max(1, (last - clock.now()) / 1000) + 3_600,
      };
    });
    if (result.kind === "stored") due.schedule(key, next);
  };
  const sender = new Sender(
    {
      realm: options.cdfRealm || options.homeDomain,
      timeoutMs: options.cdfTimeoutMs,
      window: options.cdfWindow,
      interimSeconds: options.interimSeconds,
    },
    {
      node,
      queue,
      clock,
      log,
      counters: metrics.sender,
      onInterval: (record, seconds) =>
        void onInterval(record, seconds).catch((err: unknown) =>
          log.error({ err, problemId: runtimeProblems.defect.id }, "interval not kept"),
        ),
    },
  );
  const http = chargingServer(
    { host: options.host, port: options.port, queueLimit: options.queueLimit },
    {
      log,
      queue,
      take: (events, resent) => {
        if (trail !== undefined) for (const event of events) noteEvent(trail, event);
        return intake.take(events, resent);
      },
      mayUse: (address) =>
        isClient(address) || clientPools.some((pool) => pools?.isMember(address, pool) === true),
      badEvent: () => metrics.badEvent(),
      onRetry: () => sender.poke(),
    },
  );
  let stopped = false;
  const watchCdf = async (): Promise<void> => {
    while (toCdf && !stopped) {
      if (await node.whenConnected(60_000)) {
        sender.hurry();
        // The next time it comes back counts again.
        while (node.isConnected() && !stopped)
          await new Promise<void>((go) => void clock.setTimer(1_000, go));
      }
    }
  };

  return {
    async start() {
      const full = (): string | undefined =>
        queue.queued >= options.queueLimit ? "full: no more events are taken (--queue-limit)" : undefined;
      health.addCheck("queue", full, ralfProblems.queueFull);
      // Alarms: ralf serves on, but somebody must act.
      const cdfProblem = (): string | undefined =>
        toCdf && !node.isConnected() ? "no CDF is connected" : sender.problem;
      health.addNote("cdf", cdfProblem);
      alarms.watch(ralfProblems.cdfAway, () => {
        const problem = cdfProblem();
        if (problem === undefined) return undefined;
        const severity = queue.queued >= options.queueLimit * NEARLY_FULL ? "CRITICAL" : "MAJOR";
        return { severity, text: `${problem}; ${queue.queued} of ${options.queueLimit} records wait` };
      });
      alarms.watch(diameterProblems.peerLost, () =>
        node.awayPeers.map((object) => ({ object, text: "not connected" })),
      );
      const deadLetters = (): string | undefined =>
        queue.dead === 0 ? undefined : `${queue.dead} charging records were refused by the CDF for good`;
      health.addNote("deadLetters", deadLetters, ralfProblems.deadLetters);
      const sessions = (): string | undefined =>
        intake.away || due.behind ? "the store of charging sessions does not answer" : undefined;
      health.addNote("sessions", sessions, ralfProblems.sessionsAway);
      health.addNote("cdrFiles", () => files?.problem, ralfProblems.cdrFilesNotWritten);
      await stores.start();
      await files?.start();
      node.start();
      intake.start();
      due.start();
      sender.poke();
      void watchCdf();
      await http.start();
    },
    async quiesce(signal) {
      // What is on disk stays there; what can be answered in time is.
      while (!signal.aborted && (intake.pending > 0 || sender.underWay > 0))
        await new Promise<void>((resolve) => void clock.setTimer(QUIET_MS, resolve));
    },
    busy: () => ({ events: intake.pending, accountingRequests: sender.underWay }),
    async stop() {
      stopped = true;
      await http.stop();
      due.stop();
      intake.stop();
      sender.stop();
      await node.stop();
      await files?.stop();
      pools?.stop();
      await queue.close();
      await stores.stop();
    },
    ports: () => ({ charging: http.port }),
  };
}

/** RFC 6733 §8.8: `<host>;<high>;<low>;<what no other process of the same name has>`. */
function sessionIdsOf(originHost: string, now: number): () => string {
  const prefix = `${originHost};${Math.floor(now / 1000)};`;
  const process = randomBytes(9).toString("base64url");
  let count = 0;
  return () => `${prefix}${++count >>> 0};${process}`;
}

function fileName(text: string): string {
  return text.replace(/[^A-Za-z0-9.-]/g, "_").slice(0, 64);
}
