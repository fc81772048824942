import { staffRoleSchema } from "@ims/api";

/** What staff may do; each one may do what those before it may. */
const STAFF_ROLES = staffRoleSchema.options;
export type StaffRole = (typeof STAFF_ROLES)[number];

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
