import type { FastifyInstance, FastifyRequest } from "fastify";
import { API_KEY_NAME, mayAs, type Staff, type StaffRole } from "../staff/role.ts";
import { type AdmissionModules, sessionOf, showsApiKey } from "./admission.ts";
import { Refusal } from "./refusal.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set for routes that state a role. */
    staff: Staff | undefined;
  }
}

/** Every route that states `config.role` is for staff of that role or a higher one; others never get to its handler. */
export function admitStaff(app: FastifyInstance, modules: AdmissionModules): void {
  app.decorateRequest("staff", undefined);
  app.addHook("onRequest", async (request) => {
    const { role } = request.routeOptions.config;
    if (role !== undefined) request.staff = await requireRole(request, role, modules);
  });
}

/** Who asks, when that is staff of that role or a higher one, by session cookie or API key. Throws Refusal 403, 429, 503. */
export async function requireRole(
  request: FastifyRequest,
  least: StaffRole,
  modules: AdmissionModules,
): Promise<Staff> {
  if (showsApiKey(request, modules)) return { name: API_KEY_NAME, role: "administrator" };
  const account = await sessionOf(request, modules);
  if (account === undefined) throw new Refusal(403, "Log in as staff first");
  const { email: name, role } = account;
  if (role === undefined) throw new Refusal(403, "This is for staff; your account is a user's");
  if (!mayAs(role, least)) throw new Refusal(403, `This needs the role ${least}; yours is ${role}`);
  return { name, role };
}

/** Who asks, of a route that states a role. */
export function staffOf(request: FastifyRequest): Staff {
  if (request.staff === undefined) throw new Error(`${request.routeOptions.url ?? ""} states no role`);
  return request.staff;
}
