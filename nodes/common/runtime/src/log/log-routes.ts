import { z } from "zod";
import { json, type ManagementAnswer, type ManagementRoute, refused, text } from "../management/route.ts";
import type { LogLevelSwitch } from "./log-level.ts";
import { LOG_LEVELS } from "./logger.ts";
import type { RecentLines } from "./recent-lines.ts";

const DAY_SECONDS = 86_400;

const change = z.strictObject({
  level: z.enum(LOG_LEVELS),
  /** Then the level is again what the options say. */
  seconds: z.number().positive().max(DAY_SECONDS).optional(),
});

/** GET and PUT /log-level, GET /logs: the last lines, JSON one a line. */
export function logRoutes(level: LogLevelSwitch, recent: RecentLines): readonly ManagementRoute[] {
  const state = (): ManagementAnswer => {
    const { current, configured, until } = level;
    return json(200, {
      level: current,
      configured,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    });
  };
  return [
    { path: "/log-level", methods: ["GET"], answer: state },
    {
      path: "/log-level",
      methods: ["PUT"],
      restricted: true,
      answer({ body }) {
        const parsed = change.safeParse(jsonOf(body));
        if (!parsed.success) {
          const levels = LOG_LEVELS.join(", ");
          return refused(
            400,
            `wanted is {"level":"debug"} or {"level":"debug","seconds":600}: a level of ${levels}, ${DAY_SECONDS} s at most`,
          );
        }
        level.set(parsed.data.level, parsed.data.seconds);
        return state();
      },
    },
    {
      path: "/logs",
      methods: ["GET"],
      restricted: true,
      answer: () =>
        text(
          200,
          recent
            .lines()
            .map((line) => `${line}\n`)
            .join(""),
        ),
    },
  ];
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
