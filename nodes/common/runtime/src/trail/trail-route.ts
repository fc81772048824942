import { type ManagementRoute, refused, text } from "../management/route.ts";
import type { Trail, TrailQuery } from "./trail.ts";

const MAX_KEYS = 32;
const LONGEST_KEY = 300;
const MAX_STEPS = 5_000;
const DEFAULT_STEPS = 500;
/** Searches at a time: each costs as much as several hundred calls. */
const MAX_SEARCHES = 2;
const HELP =
  "GET /trail?key=<imsi, identity, number, Call-ID or ICID>, up to 32 of them; &kind=sip &since=<ms or ISO 8601> &until= &limit= (up to 5000) &text=true\n";

/** GET /trail: the steps of a subscriber or a call at this node, as JSON. */
export function trailRoute(node: string, trail: Trail | undefined): ManagementRoute {
  return {
    path: "/trail",
    methods: ["GET"],
    restricted: true,
    async answer({ query: parameters }) {
      if (trail === undefined) return refused(404, "the trail is off: --trail-bytes switches it on");
      const query = queryOf(parameters);
      if (typeof query === "string") return text(400, `${query}\n${HELP}`);
      if (trail.searching >= MAX_SEARCHES) return refused(503, "other searches are under way: try again");
      const answer = await trail.find(query);
      const body = JSON.stringify({ node, pid: process.pid, now: Date.now(), ...answer });
      return { status: 200, type: "application/json", body };
    },
  };
}

const MAX_RECENT = 500;

/** GET /trail/recent: registrations and calls of the newest messages of this node, as JSON. */
export function recentRoute(node: string, trail: Trail | undefined): ManagementRoute {
  return {
    path: "/trail/recent",
    methods: ["GET"],
    restricted: true,
    async answer({ query }) {
      if (trail === undefined) return refused(404, "the trail is off: --trail-bytes switches it on");
      const after = Number(query.get("after") ?? "0");
      const limit = Number(query.get("limit") ?? "200");
      if (!Number.isSafeInteger(after) || after < 0)
        return text(400, "after is `next` of the answer before\n");
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECENT)
        return text(400, `limit is not 1 to ${MAX_RECENT}\n`);
      if (trail.searching >= MAX_SEARCHES) return refused(503, "other searches are under way: try again");
      const answer = await trail.recent({ after, limit });
      const body = JSON.stringify({ node, pid: process.pid, now: Date.now(), ...answer });
      return { status: 200, type: "application/json", body };
    },
  };
}

/** What is asked for, or what is wrong with it. */
function queryOf(parameters: URLSearchParams): TrailQuery | string {
  const known = new Set(["key", "kind", "since", "until", "limit", "text"]);
  for (const name of parameters.keys()) if (!known.has(name)) return "a parameter that is not known";
  const keys = parameters.getAll("key").filter((key) => key !== "");
  if (keys.length === 0) return "key is missing";
  if (keys.length > MAX_KEYS) return `more than ${MAX_KEYS} keys`;
  if (keys.some((key) => key.length > LONGEST_KEY)) return `a key of more than ${LONGEST_KEY} characters`;
  const since = timeOf(parameters.get("since"));
  const until = timeOf(parameters.get("until"));
  if (Number.isNaN(since) || Number.isNaN(until)) return "since or until is no time";
  const limit = parameters.has("limit") ? Number(parameters.get("limit")) : DEFAULT_STEPS;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_STEPS) return `limit is not 1 to ${MAX_STEPS}`;
  const kinds = parameters.getAll("kind");
  const text = parameters.get("text") ?? "false";
  if (text !== "true" && text !== "false") return "text is true or false";
  return { keys, ...(kinds.length === 0 ? {} : { kinds }), since, until, limit, text: text === "true" };
}

function timeOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  return /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Date.parse(text);
}
