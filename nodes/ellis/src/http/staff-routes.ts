import { changedStaffSchema, type MadeStaff, newStaffSchema, ownPasswordSchema } from "@ims/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { BUSY, type Busy, type Passwords } from "../accounts/password.ts";
import { newSessions } from "../accounts/session.ts";
import { API_KEY_NAME } from "../staff/role.ts";
import type { StaffAccount, StaffAccounts } from "../staff/staff-accounts.ts";
import { UNAVAILABLE, type Unavailable } from "../store/documents.ts";
import { type AdmissionModules, setCookie } from "./admission.ts";
import { note } from "./audit.ts";
import { jsonOf } from "./bodies.ts";
import { busy, Refusal, storeAway, tooMany } from "./refusal.ts";
import { staffOf } from "./staff-admission.ts";

export interface StaffModules extends AdmissionModules {
  readonly staff: StaffAccounts;
  readonly passwords: Passwords;
}

type Named = { Params: { email: string } };

/** Who works with the portal, and as what. */
export function staffRoutes(app: FastifyInstance, modules: StaffModules): void {
  const { staff, accounts, passwords, limits } = modules;
  const config = { resource: "staff", role: "administrator" } as const;

  app.get("/staff/session", { config: { resource: "staff", role: "viewer" } }, async (request) => {
    const { name, role } = staffOf(request);
    return { name, role };
  });

  app.get("/staff/accounts", { config }, async () => {
    const all = await staff.list();
    if (all === UNAVAILABLE) throw storeAway();
    return { staff: all.map((one) => documentOf(one)) };
  });

  app.post("/staff/accounts", { config: { ...config, audit: "staff.add" } }, async (request, reply) => {
    const { email, full_name: fullName, role, password, existing } = jsonOf(newStaffSchema, request);
    note(request, { target: email, detail: `role ${role}` });
    const result = settled(await staff.add({ email, fullName, role, password, existing }));
    switch (result.kind) {
      case "added":
        return reply.code(201).send(documentOf(result.account, result.password));
      case "noEmail":
        throw new Refusal(400, "email: this is no e-mail address", {
          detail: { email: "this is no e-mail address" },
        });
      case "exists":
        throw new Refusal(409, "A user has that address; say existing to make staff of that account");
      case "isStaff":
        throw new Refusal(409, "That address is staff's already; change its role");
      case "tooMany":
        throw new Refusal(409, "There are too many staff accounts");
    }
  });

  app.patch<Named>(
    "/staff/accounts/:email",
    { config: { ...config, audit: "staff.change" } },
    async (request) => {
      const { role, new_password: newPassword } = jsonOf(changedStaffSchema, request);
      const { email } = request.params;
      const changes = [...(role === undefined ? [] : [`role ${role}`]), ...(newPassword ? ["password"] : [])];
      note(request, { target: email, detail: changes.join(", ") });
      if (role !== undefined) refuseOwn(request, "Another administrator changes your role");
      const result = settled(await staff.change(email, { role, newPassword }));
      if (result.kind === "unknown") throw unknown();
      return documentOf(result.account, result.password);
    },
  );

  app.delete<Named>(
    "/staff/accounts/:email",
    { config: { ...config, audit: "staff.remove" } },
    async (request, reply) => {
      note(request, { target: request.params.email });
      refuseOwn(request, "Another administrator removes your account");
      const result = await staff.remove(request.params.email);
      if (result === UNAVAILABLE) throw storeAway();
      if (result === "unknown") throw unknown();
      return reply.code(204).send();
    },
  );

  app.post(
    "/staff/password",
    { config: { resource: "staff", role: "viewer", audit: "staff.password" } },
    async (request, reply) => {
      const { name } = staffOf(request);
      if (name === API_KEY_NAME) throw new Refusal(400, "The API key has no password; it is in its file");
      const given = jsonOf(ownPasswordSchema, request);
      const guess = `${request.ip} ${name}`;
      if (!limits.guesses.take(guess)) throw tooMany(429);
      const account = settled(await accounts.get(name));
      const isRight = settled(await passwords.matches(given.old, account?.password));
      if (!isRight || account === undefined)
        throw new Refusal(403, "The old password is another one", { detail: { old: "is another one" } });
      limits.guesses.giveBack(guess);
      const password = settled(await passwords.hash(given.new));
      // Whoever was logged in with the old one is not any more.
      const after = settled(
        await accounts.change(name, (before) => ({ ...before, ...newSessions(), password, recoveries: [] })),
      );
      if (after === undefined) throw unknown();
      setCookie(request, reply, after, modules);
      return reply.code(204).send();
    },
  );
}

/** That way somebody is left who can: nobody takes the last administrator's role by mistake. */
function refuseOwn(request: FastifyRequest<Named>, reason: string): void {
  if (staffOf(request).name === request.params.email.trim().toLowerCase()) throw new Refusal(409, reason);
}

const unknown = (): Refusal => new Refusal(404, "Nobody of the staff has that address");

function settled<T>(result: T | Unavailable | Busy): T {
  if (result === UNAVAILABLE) throw storeAway();
  if (result === BUSY) throw busy();
  return result;
}

function documentOf({ email, fullName, role }: StaffAccount, password?: string): MadeStaff {
  return { email, full_name: fullName, role, ...(password === undefined ? {} : { password }) };
}
