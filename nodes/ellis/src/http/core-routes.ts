import {
  type ExaminationDocument,
  ladderQuerySchema,
  recentQuerySchema,
  registrationsQuerySchema,
  stepQuerySchema,
} from "@ims/api";
import { type Examination, KeyError, keyOf } from "@ims/doctor";
import type { Logger, Timer } from "@ims/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type CoreView, STREAMS_EACH } from "../core-view/core-view.ts";
import { EventStream } from "../core-view/event-stream.ts";
import { TooManyError } from "../core-view/ladders.ts";
import { TurnsFullError } from "../core-view/turns.ts";
import type { AdmissionModules } from "./admission.ts";
import { queryOf, read } from "./fields.ts";
import { Refusal, tooMany } from "./refusal.ts";
import { requireRole, staffOf } from "./staff-admission.ts";

export interface CoreModules extends AdmissionModules {
  readonly core: CoreView;
  readonly log: Logger;
}

/** How often it is asked again whether who watches may. */
const SESSION_MS = 5_000;
/** How long somebody may take to read that it is over, ms. */
const READ_MS = 5_000;
const GIVEN = "Others want to watch, and you watch more ladders than they do: this one has ended";
/** Every so many of these a reader is told that it goes on. */
const BEATS = 3;

const config = { resource: "core", role: "viewer" } as const;

/** What staff sees of the core. */
export function coreRoutes(app: FastifyInstance, modules: CoreModules): void {
  const { core, log, clock } = modules;
  const { ladders } = core;

  const watching = (): void => {
    if (!core.nodes.configured)
      throw new Refusal(
        503,
        "This ellis does not know the nodes of the core: --core-nodes, --core-pools-file or --core-run-dir",
      );
  };

  app.get("/staff/core/pools", { config }, async () => {
    watching();
    return core.pools();
  });
  app.get("/staff/core/alarms", { config }, async () => {
    watching();
    return core.alarms();
  });
  app.get("/staff/core/recent", { config }, async (request) => {
    watching();
    return core.recent(read(recentQuerySchema, queryOf(request)));
  });
  app.get("/staff/core/registrations", { config }, async (request) => {
    watching();
    const asked = read(registrationsQuerySchema, queryOf(request));
    return bounded(() => core.registrations(asked));
  });

  app.get("/staff/core/ladders", { config }, async (request, reply) => {
    watching();
    const { key, last } = askedOf(request);
    const json = await bounded(() => ladders.ladders(key, last));
    return reply.type("application/json; charset=utf-8").send(json);
  });

  // An answer to HEAD has no body that could end: its place would never be free again.
  app.get("/staff/core/ladders/events", { config, exposeHeadRoute: false }, async (request, reply) => {
    watching();
    const { key, last } = askedOf(request);
    const { name } = staffOf(request);
    const stream = new EventStream();
    // Places are free at once, whether or not what is told is read.
    const finish = (why: string): void => {
      stream.finish("end", JSON.stringify(why));
      clock.setTimer(READ_MS, () => stream.destroy());
      leave();
      end?.();
    };
    const ended = (): void => finish(GIVEN);
    const place = core.streams.enter(name, ended);
    if (place === "ownTaken")
      throw new Refusal(429, `You watch ${STREAMS_EACH} ladders already; close one of them`, {
        retryAfterSeconds: 5,
      });
    if (place === "allTaken") throw tooMany(503, 5);
    const leave: () => void = place;
    let end: (() => void) | undefined;
    stream.once("close", () => {
      leave();
      end?.();
    });
    try {
      const tell = (document: string): void => stream.tell("ladders", document);
      end = await bounded(() => ladders.follow(key, last, { name, tell, ended }));
    } catch (error) {
      stream.destroy();
      leave();
      throw error;
    }
    if (reply.raw.destroyed) {
      // Gone meanwhile: nobody would tell the stream.
      stream.destroy();
      end();
    }
    whileAdmitted(request, stream, finish, modules);
    return reply.type("text/event-stream; charset=utf-8").header("x-accel-buffering", "no").send(stream);
  });

  app.get("/staff/core/step", { config }, async (request) => {
    watching();
    const asked = read(stepQuerySchema, queryOf(request));
    const step = await bounded(() => ladders.step(asked));
    if (step === undefined) throw new Refusal(404, "The node does not have that message any more");
    return step;
  });

  app.get("/staff/core/capture", { config }, async (request, reply) => {
    watching();
    const { key, last } = askedOf(request);
    const bytes = await bounded(() => ladders.capture(key, last));
    if (bytes === undefined) throw new Refusal(404, "Nothing is known of that name");
    log.info({ staff: staffOf(request).name, key, bytes: bytes.length }, "capture file taken");
    return reply
      .type("application/vnd.tcpdump.pcap")
      .header("content-disposition", `attachment; filename="${fileNameOf(key)}.pcapng"`)
      .send(bytes);
  });

  app.get("/staff/core/diagnosis", { config }, async (request) => {
    watching();
    const { key, last } = askedOf(request);
    return documentOf(await bounded(() => ladders.examine(key, last)));
  });
}

function askedOf(request: FastifyRequest): { readonly key: string; readonly last: number } {
  const { key, last } = read(ladderQuerySchema, queryOf(request));
  try {
    return { key: keyOf(key), last };
  } catch (error) {
    if (error instanceof KeyError) throw new Refusal(400, error.message);
    throw error;
  }
}

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TurnsFullError || error instanceof TooManyError) throw tooMany(503, 2);
    throw error;
  }
}

/** Ends the stream when the session has ended, the account or its role is gone. */
function whileAdmitted(
  request: FastifyRequest,
  stream: EventStream,
  finish: (why: string) => void,
  modules: CoreModules,
): void {
  const { clock } = modules;
  let timer: Timer | undefined;
  let turns = 0;
  let ended = false;
  const look = (): void => {
    if (ended) return;
    timer = clock.setTimer(SESSION_MS, () => {
      requireRole(request, "viewer", modules).then(
        () => {
          if (++turns % BEATS === 0) stream.beat();
          look();
        },
        (error: unknown) => {
          // The store may be back in a moment.
          if (error instanceof Refusal && error.status === 403) finish(error.message);
          else look();
        },
      );
    });
  };
  look();
  stream.once("close", () => {
    ended = true;
    timer?.cancel();
  });
}

function fileNameOf(key: string): string {
  return key.replace(/[^A-Za-z0-9@+_-]+/g, "_").slice(0, 80);
}

function documentOf(examination: Examination): ExaminationDocument {
  const { key, subjects, diagnoses, exchanges, alarms, earlier, oldest, problems } = examination;
  const shown = (list: typeof diagnoses): ExaminationDocument["diagnoses"] =>
    list.map((one) => ({
      ...one,
      remedy: [...one.remedy],
      clauses: [...one.clauses],
      evidence: one.evidence.map((step) => ({ ...step })),
    }));
  return {
    key,
    subjects: subjects.map(({ identity, hss, subscriber, registrations }) => ({
      ...{ identity, hss },
      ...(subscriber === undefined ? {} : { privateIdentity: subscriber.impi }),
      ...(registrations === undefined
        ? {}
        : { contacts: registrations.reduce((sum, { bindings }) => sum + bindings.length, 0) }),
    })),
    diagnoses: shown(diagnoses),
    exchanges: exchanges.map(({ exchange, diagnoses: of, ...one }) => ({
      ...one,
      callIds: [...exchange.callIds],
      diagnoses: shown(of),
    })),
    alarms: alarms.map(({ node, perceivedSeverity, summary, additionalText }) => ({
      ...{ node, summary, severity: perceivedSeverity, text: additionalText },
    })),
    earlier,
    ...(oldest === undefined ? {} : { oldest: new Date(oldest).toISOString() }),
    problems: [...problems],
  };
}
