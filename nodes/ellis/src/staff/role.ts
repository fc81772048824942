import { z } from "zod";

/** What staff may do; each one may do what those before it may. */
export const STAFF_ROLES = ["viewer", "operator", "administrator"] as const;
export const staffRoleSchema = z.enum(STAFF_ROLES);
export type StaffRole = z.output<typeof staffRoleSchema>;

/** Who asks for something that only staff may have. */
export interface Staff {
  /** E-mail address of the account, or `api-key`. */
  readonly name: string;
  readonly role: StaffRole;
}

/** What whoever shows the API key is called: no e-mail address is. */
export const API_KEY_NAME = "api-key";

export function mayAs(role: StaffRole, least: StaffRole): boolean {
  return STAFF_ROLES.indexOf(role) >= STAFF_ROLES.indexOf(least);
}
