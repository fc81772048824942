import { turnCredentials, turnUser } from "@ims/api";
import type { FastifyInstance } from "fastify";
import { type AdmissionModules, requesterOf } from "./admission.ts";
import { Refusal, tooMany } from "./refusal.ts";
import { succeed } from "./replies.ts";

/** A TURN server that believes our credentials. */
export interface TurnServer {
  readonly secret: string;
  readonly uris: readonly string[];
  readonly ttlSeconds: number;
}

export interface TurnModules extends AdmissionModules {
  /** Undefined: there is none. */
  readonly turn: TurnServer | undefined;
}

/** Credentials for TURN, for who is logged in: draft-uberti-behave-turn-rest-00. */
export function turnRoutes(app: FastifyInstance, modules: TurnModules): void {
  const { turn, limits, clock } = modules;
  app.get("/turn-credentials", { config: { resource: "turn" } }, async (request, reply) => {
    const { account } = await requesterOf(request, modules);
    if (turn === undefined) throw new Refusal(404, "There is no TURN server here");
    const who = account?.email ?? "";
    if (!limits.turn.take(who)) throw tooMany(429);
    const user = account === undefined ? "operator" : turnUser(turn.secret, who);
    return succeed(request, reply, 200, { ...turnCredentials({ ...turn, user, now: clock.now() }) });
  });
}
