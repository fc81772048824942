import type { z } from "zod";
import {
  coreAlarmsSchema,
  examinationSchema,
  ladderQuerySchema,
  laddersSchema,
  poolMapSchema,
  recentPageSchema,
  recentQuerySchema,
  registrationsPageSchema,
  registrationsQuerySchema,
  stepQuerySchema,
  stepSchema,
} from "./core-view.ts";
import { content, type Json, operation, output, query } from "./openapi-parts.ts";
import { by } from "./staff-openapi.ts";

const VIEWER = by("viewer");

/** What the portal shows of the core: schemas. */
export function coreViewSchemas(): Json {
  return {
    PoolMap: output(poolMapSchema),
    CoreAlarms: output(coreAlarmsSchema),
    RecentPage: output(recentPageSchema),
    RegistrationsPage: output(registrationsPageSchema),
    Ladders: output(laddersSchema),
    Step: output(stepSchema),
    Examination: output(examinationSchema),
  };
}

/** The same: paths, all of them for viewers. */
export function coreViewPaths(): Json {
  return {
    "/staff/core/pools": get("pools", "Pools and their members, with health, load and place", "PoolMap"),
    "/staff/core/alarms": get("alarms", "Alarms of all nodes, and the last that are over", "CoreAlarms"),
    "/staff/core/recent": get(
      "recent",
      "The last registrations and calls, as far as messages are kept",
      "RecentPage",
      recentQuerySchema,
    ),
    "/staff/core/registrations": get(
      "registrations",
      "Subscribers with what the S-CSCF keeps of them, page by page",
      "RegistrationsPage",
      registrationsQuerySchema,
    ),
    "/staff/core/ladders": get(
      "ladders",
      "The last registrations and calls of a subscriber, or one call, step by step",
      "Ladders",
      ladderQuerySchema,
    ),
    "/staff/core/ladders/events": {
      parameters: query(ladderQuerySchema),
      get: operation(
        "ladderEvents",
        "The same, again whenever it has grown: Server-Sent Events, `ladders` with the whole, `end` when the session has ended",
        {
          200: {
            description: "until who asks goes away",
            content: { "text/event-stream": { schema: { type: "string" } } },
          },
        },
        VIEWER,
      ),
    },
    "/staff/core/step": get(
      "step",
      "The message of one step, its secrets taken out",
      "Step",
      stepQuerySchema,
    ),
    "/staff/core/capture": {
      parameters: query(ladderQuerySchema),
      get: operation(
        "capture",
        "The messages as a capture file, for Wireshark",
        {
          200: {
            description: "pcapng",
            content: { "application/vnd.tcpdump.pcap": { schema: { type: "string", format: "binary" } } },
          },
        },
        VIEWER,
      ),
    },
    "/staff/core/diagnosis": get(
      "diagnosis",
      "What went wrong with a subscriber, or with a call, and what to do",
      "Examination",
      ladderQuerySchema,
    ),
  };
}

function get(id: string, summary: string, schema: string, parameters?: z.ZodObject): Json {
  return {
    ...(parameters === undefined ? {} : { parameters: query(parameters) }),
    get: operation(`core-${id}`, summary, { 200: content(schema) }, VIEWER),
  };
}
