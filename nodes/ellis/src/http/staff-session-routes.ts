import type { FastifyInstance } from "fastify";
import { staffOf } from "./staff-admission.ts";

/** What the portal asks first: who works with it, and as what. */
export function staffSessionRoutes(app: FastifyInstance): void {
  app.get("/staff/session", { config: { resource: "staff", role: "viewer" } }, async (request) => {
    const { name, role } = staffOf(request);
    return { name, role };
  });
}
