import { json, type ManagementRoute, refused } from "../management/route.ts";
import { alarmRecord } from "./alarm.ts";
import { type AlarmList, bySeverity } from "./alarm-list.ts";

/**
 * GET /alarms: active ones, worst first, and the last cleared. GET /problems: definitions of those that could be.
 * POST /alarms/resend: told again to log and listeners.
 */
export function alarmRoutes(node: string, alarms: AlarmList): readonly ManagementRoute[] {
  return [
    {
      path: "/alarms",
      methods: ["GET"],
      answer: () =>
        json(200, {
          node,
          active: [...alarms.active()].sort(bySeverity).map(alarmRecord),
          cleared: alarms.cleared().map(alarmRecord),
          dropped: alarms.dropped,
          resends: alarms.resends,
        }),
    },
    {
      path: "/problems",
      methods: ["GET"],
      answer: () => json(200, { node, problems: alarms.problems }),
    },
    {
      path: "/alarms/resend",
      methods: ["POST"],
      restricted: true,
      answer: ({ body }) =>
        body === "" ? json(200, { resent: alarms.resend() }) : refused(400, "no content is wanted"),
    },
  ];
}
