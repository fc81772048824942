import {
  CHARGING_EVENTS_PATH,
  type ChargingReport,
  chargingEventSchema,
  chargingEventsSchema,
  deadLettersSchema,
} from "@ims/api";
import type { ChargingEvent } from "@ims/ims";
import type { Logger } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import { cdrSchema } from "../cdr/cdr.ts";
import { ralfProblems } from "../problems.ts";
import type { QueueDatabase } from "../queue/queue-database.ts";

export interface ChargingServerOptions {
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
  /** Records in the queue beyond which nothing more is taken. */
  readonly queueLimit: number;
}

export interface ChargingServerModules {
  readonly log: Logger;
  readonly queue: QueueDatabase;
  /** On disk, or not. */
  readonly take: (events: readonly ChargingEvent[], resent: boolean) => Promise<boolean>;
  readonly mayUse: (remoteAddress: string) => boolean;
  readonly badEvent: () => void;
  /** Dead letters are back in the queue. */
  readonly onRetry: () => void;
}

/** Room for 500 events with their session descriptions; what is longer comes again in halves. */
const MAX_BODY = 4 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 2;
const DEAD_LETTERS_SHOWN = 100;

/** The API of charging events: @ims/api is its contract, refusals are problem details (RFC 9457). */
export function chargingServer(options: ChargingServerOptions, modules: ChargingServerModules) {
  const { queue, mayUse } = modules;
  const app = fastify({
    bodyLimit: MAX_BODY,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
  });
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", async (request, reply) => {
    // Pages in a browser on this machine are kept out: they send Origin.
    if (mayUse(request.ip) && request.headers.origin === undefined) return;
    return problem(
      reply,
      403,
      "Not allowed",
      "charging events are taken from --clients and this machine only",
    );
  });
  app.setNotFoundHandler((request, reply) =>
    problem(reply, 404, "No such resource", `${request.method} ${request.url.slice(0, 200)}`),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500)
      modules.log.error({ err: error, problemId: runtimeProblems.requestFailed.id }, "request failed");
    const detail =
      status < 500 && error instanceof Error ? error.message.slice(0, 500) : "see the log of ralf";
    return problem(reply, status, status < 500 ? "Wrong request" : "Failed", detail);
  });
  eventRoute(app, options, modules);
  app.get("/dead-letters", async () =>
    deadLettersSchema.parse({
      count: queue.dead,
      deadLetters: queue.deadLetters(DEAD_LETTERS_SHOWN).map(({ id, result, at, record }) => ({
        id,
        sessionId: record.sessionId,
        recordType: record.recordType,
        recordNumber: record.recordNumber,
        callId: record.event.callId,
        result,
        at: new Date(at).toISOString(),
      })),
    }),
  );
  app.post("/dead-letters/retry", async (_request, reply) => {
    const done = await queue.retryDead();
    if (done.kind === "unavailable") return diskAway(reply);
    modules.onRetry();
    return reply.code(204).send();
  });
  app.delete("/dead-letters", async (_request, reply) => {
    const done = await queue.dropDead();
    return done.kind === "unavailable" ? diskAway(reply) : reply.code(204).send();
  });
  app.get("/cdr.schema.json", async () => z.toJSONSchema(cdrSchema));
  let port = 0;
  return {
    get port(): number {
      return port;
    },
    async start(): Promise<void> {
      await app.listen({ host: options.host, port: options.port });
      const address = app.server.address();
      port = typeof address === "object" && address !== null ? address.port : options.port;
    },
    stop: (): Promise<void> => app.close().then(() => undefined),
  };
}

function eventRoute(
  app: FastifyInstance,
  { queueLimit }: ChargingServerOptions,
  { queue, take, badEvent, log }: ChargingServerModules,
): void {
  app.post(CHARGING_EVENTS_PATH, async (request, reply) => {
    const body = chargingEventsSchema.safeParse(request.body);
    if (!body.success) return problem(reply, 400, "Wrong request", explained(body.error));
    if (queue.queued >= queueLimit) {
      reply.header("retry-after", RETRY_AFTER_SECONDS);
      return problem(reply, 503, "Queue full", `${queue.queued} records wait for the CDF (--queue-limit)`);
    }
    const events: ChargingEvent[] = [];
    const refused: ChargingReport["refused"] = [];
    for (const [index, each] of body.data.events.entries()) {
      const event = chargingEventSchema.safeParse(each);
      if (event.success) events.push(event.data);
      else refused.push({ index, problem: explained(event.error) });
    }
    for (const { problem: text } of refused) {
      badEvent();
      log.warn({ problem: text, problemId: ralfProblems.eventRefused.id }, "a charging event was refused");
    }
    if (events.length > 0 && !(await take(events, body.data.resent))) return diskAway(reply);
    return reply.code(202).send({ accepted: events.length, refused } satisfies ChargingReport);
  });
}

/** The first issue, with its place. */
function explained(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".") || "body"}: ${issue?.message ?? "wrong"}`.slice(0, 300);
}

function diskAway(reply: FastifyReply): FastifyReply {
  reply.header("retry-after", RETRY_AFTER_SECONDS);
  return problem(reply, 503, "Queue away", "the queue on disk cannot be written");
}

function problem(reply: FastifyReply, status: number, title: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type("application/problem+json")
    .send({ type: "about:blank", title, status, detail });
}
