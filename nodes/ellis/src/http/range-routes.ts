import { numberRangeSchema } from "@ims/api";
import type { FastifyInstance } from "fastify";
import type { NumberPool } from "../numbers/number-pool.ts";
import { makeRange } from "../numbers/number-range.ts";
import { UNAVAILABLE } from "../store/documents.ts";
import { type AdmissionModules, requireOperator } from "./admission.ts";
import { fieldsOf, read } from "./fields.ts";
import { Refusal, storeAway } from "./refusal.ts";
import { succeed } from "./replies.ts";

export interface RangeModules extends AdmissionModules {
  readonly pool: NumberPool;
}

/** Ranges of numbers that accounts are given, for operators. */
export function rangeRoutes(app: FastifyInstance, modules: RangeModules): void {
  const { pool } = modules;

  app.get("/number-ranges", { config: { resource: "ranges" } }, async (request, reply) => {
    requireOperator(request, modules);
    const ranges = await pool.ranges();
    if (ranges === UNAVAILABLE) throw storeAway();
    return succeed(request, reply, 200, { ranges });
  });

  app.post("/number-ranges", { config: { resource: "ranges" } }, async (request, reply) => {
    requireOperator(request, modules);
    const { first, count, pstn } = read(numberRangeSchema, fieldsOf(request));
    const reading = makeRange(first, count, pstn);
    if (reading.kind === "wrong") throw new Refusal(400, reading.problem);
    const result = await pool.addRange(reading.range);
    if (result === UNAVAILABLE) throw storeAway();
    if (result === "overlaps") throw new Refusal(409, "Some of these numbers are in another range");
    if (result === "tooMany") throw new Refusal(409, "There are too many ranges");
    return succeed(request, reply, 201, { ...reading.range });
  });

  app.delete<{ Params: { first: string } }>(
    "/number-ranges/:first",
    { config: { resource: "ranges" } },
    async (request, reply) => {
      requireOperator(request, modules);
      const result = await pool.removeRange(request.params.first);
      if (result === UNAVAILABLE) throw storeAway();
      if (result === "unknown") throw new Refusal(404, "No range begins with that number");
      if (result === "configured") throw new Refusal(409, "The range is in the configuration of ellis");
      return succeed(request, reply, 204);
    },
  );
}
