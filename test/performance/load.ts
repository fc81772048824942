import { join } from "node:path";
import { type RunningSipp, type SippResult, startSipp } from "../support/sipp.ts";
import { domain, type SystemUnderTest } from "./system.ts";
import { registerRow, type User } from "./users.ts";

const scenario = (name: string): string => join(import.meta.dirname, "scenarios", `${name}.xml`);
/** Ports of the UEs: callers and those who only register, callees. */
const CALLER_PORT = 5060;
const CALLEE_PORT = 5070;
/** For UEs that come and go: a SIPp of their own must not share a port with the callees. */
const VISITOR_PORT = 5080;
/** What a UE takes to answer a challenge. The peer sends the 401 before it has stored the vector: at 0 ms it fails. */
const THINK_MS = 50;
const EXPIRES_S = 3600;
export const HOLD_MS = 1000;

/** SIPp's first socket, which no UE uses. */
const ownAddress = (lane: number): string => `127.0.${lane}.1`;

/** One UDP socket per UE address; at most `atOnce` unfinished calls. */
function clientArgs(lane: number, port: number, rate: number, count: number, atOnce: number): string[] {
  const sockets = ["-t", "ui", "-ip_field", "0", "-i", ownAddress(lane), "-p", String(port)];
  return [...sockets, "-r", String(rate), "-m", String(count), "-l", String(atOnce)];
}

export type RegisterLoad = {
  readonly system: Pick<SystemUnderTest, "target" | "lane">;
  readonly users: readonly User[];
  /** Where the UEs take calls afterwards. */
  readonly role: "caller" | "callee" | "visitor";
  /** Registrations per second. */
  readonly rate: number;
  /** Default: one registration for each user. */
  readonly count?: number;
  /** What a UE does: register (always challenged), renew, or visit: register and leave after two seconds. */
  readonly behaviour?: "register" | "renew" | "visit";
};

/** Registers every user once, or over and over up to `count`. */
export function startRegistrations({
  system,
  users,
  role,
  rate,
  count = users.length,
  behaviour = "register",
}: RegisterLoad): RunningSipp {
  const port = { caller: CALLER_PORT, callee: CALLEE_PORT, visitor: VISITOR_PORT }[role];
  return startSipp({
    scenario: scenario(behaviour),
    target: system.target,
    csv: users.map((user) => registerRow(user, domain)),
    keys: { domain, port: String(port), expires: String(EXPIRES_S) },
    args: [...clientArgs(system.lane, port, rate, count, 4000), "-d", String(THINK_MS), "-auth_uri", domain],
    timeoutMs: (count / rate) * 1000 + 40_000,
    traceMessages: false,
  });
}

/** Service-Route by user name, as the registrations logged it. */
export function serviceRoutes(result: SippResult): Map<string, string> {
  const routes = new Map<string, string>();
  for (const line of result.logs) {
    const [name, route] = line.trim().split(" ");
    if (name !== undefined && route !== undefined) routes.set(name, route);
  }
  return routes;
}

export type CallLoad = {
  readonly system: Pick<SystemUnderTest, "target" | "lane">;
  readonly callers: readonly User[];
  readonly callees: readonly User[];
  readonly routes: ReadonlyMap<string, string>;
  /** Calls per second. */
  readonly rate: number;
  readonly count: number;
};

/** Calls from each caller to the callee of the same index. The callees must be up: `startCallees`. */
export function startCalls({ system, callers, callees, routes, rate, count }: CallLoad): RunningSipp {
  let cells = 0;
  const csv = callers.map((caller, index) => {
    const route = routes.get(caller.name)?.split(";");
    const callee = callees[index];
    if (route === undefined || callee === undefined)
      throw new Error(`${caller.name} has no Service-Route or no callee`);
    if (cells !== 0 && cells !== route.length)
      throw new Error("Service-Routes differ in their number of parts");
    cells = route.length;
    return [caller.address, caller.name, "-", callee.name, ...route];
  });
  const route = Array.from({ length: cells }, (_, index) => `[field${index + 4}]`).join(";");
  const atOnce = Math.ceil(rate * (HOLD_MS / 1000 + 10)) + 100;
  return startSipp({
    scenario: scenario("caller"),
    target: system.target,
    csv,
    fill: { ROUTE: route },
    keys: { domain, port: String(CALLER_PORT) },
    args: [...clientArgs(system.lane, CALLER_PORT, rate, count, atOnce), "-d", String(HOLD_MS)],
    timeoutMs: (count / rate) * 1000 + HOLD_MS + 40_000,
    traceMessages: false,
  });
}

/** SIPp's sockets hold 64 kB of their own: a moment without a processor and the load generator loses what the core has sent. */
export const bufferArgs: readonly string[] = ["-buff_size", "4194304"];

/**
 * All callees in one process, each on its own address; the caller ends it with `finish`. Patient ones bear an INVITE that comes again after
 * their answer: SIPp takes it for a mistake otherwise, forgets the call and says nothing to its BYE.
 */
export function startCallees(
  callees: readonly User[],
  timeoutMs: number,
  { lane = 0, patient = false }: { readonly lane?: number; readonly patient?: boolean } = {},
): RunningSipp {
  return startSipp({
    scenario: scenario("callee"),
    csv: callees.map(({ address }) => [address]),
    args: [
      ...["-t", "ui", "-ip_field", "0", "-i", ownAddress(lane), "-p", String(CALLEE_PORT)],
      ...bufferArgs,
      ...(patient ? ["-default_behaviors", "all,-abortunexp"] : []),
    ],
    timeoutMs,
    traceMessages: false,
  });
}
