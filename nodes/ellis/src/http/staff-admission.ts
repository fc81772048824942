import type { FastifyInstance, FastifyRequest } from "fastify";
import { API_KEY_NAME, mayAs, type Staff, type StaffRole } from "../staff/role.ts";
import { type AdmissionModules, SAFE_METHODS, sessionOf, showsApiKey } from "./admission.ts";
import { Refusal, tooMany } from "./refusal.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set for routes that state a role. */
    staff: Staff | undefined;
  }
  interface FastifyContextConfig {
    /** Least role of staff that may ask; undefined: the route itself says who may. */
    readonly role?: StaffRole;
  }
}

/** Every route that states `config.role` is for staff of that role or a higher one; others never get to its handler. */
export function admitStaff(app: FastifyInstance, modules: AdmissionModules): void {
  app.decorateRequest("staff", undefined);
  app.addHook("onRequest", async (request) => {
    const { role, audit } = request.routeOptions.config;
    if (role === undefined) return;
    const changes = !SAFE_METHODS.has(request.method);
    const action = audit ?? `${request.method} ${request.routeOptions.url ?? ""}`;
    if (changes) request.audit = { action, who: "", isStaff: false };
    request.staff = await requireRole(request, role, modules);
    if (!changes) return;
    const { name: who, role: own } = request.staff;
    request.audit = { action, who, role: own, isStaff: true };
    if (who !== API_KEY_NAME && !modules.limits.staffChanges.take(who)) throw tooMany(429);
  });
}

/**
 * Who asks, when that is staff of that role or a higher one, by session cookie or API key; somebody else who is known is in the audit log
 * then. Throws Refusal 403, 429, 503.
 */
export async function requireRole(
  request: FastifyRequest,
  least: StaffRole,
  modules: AdmissionModules,
): Promise<Staff> {
  if (showsApiKey(request, modules)) return { name: API_KEY_NAME, role: "administrator" };
  const account = await sessionOf(request, modules);
  if (account === undefined) throw new Refusal(403, "Log in as staff first");
  const { email: name, role } = account;
  if (role !== undefined && mayAs(role, least)) return { name, role };
  const { routeOptions, method } = request;
  const action = routeOptions.config.audit ?? `${method} ${routeOptions.url ?? ""}`;
  request.audit = { action, who: name, role, isStaff: role !== undefined };
  if (role === undefined) throw new Refusal(403, "This is for staff; your account is a user's");
  throw new Refusal(403, `This needs the role ${least}; yours is ${role}`);
}

/** Who asks, of a route that states a role. */
export function staffOf(request: FastifyRequest): Staff {
  if (request.staff === undefined) throw new Error(`${request.routeOptions.url ?? ""} states no role`);
  return request.staff;
}
