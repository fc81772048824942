import type { Member } from "@ims/ims";
import { canonicalImpu, memberOf } from "@ims/ims";
import { locateUri, parseNameAddr, type SipMessage } from "@ims/sip";
import type { NotAvailable } from "../store/copies.ts";
import type { Registration } from "../store/registration.ts";
import type { ScscfModules } from "./modules.ts";

/** The user on whose behalf a request is handled, with what is known of them. */
export type ServedUser =
  | {
      readonly kind: "served";
      readonly registration: Registration;
      readonly member: Member;
      readonly impu: string;
    }
  | { readonly kind: "notFound" }
  /** Nobody knows without the HSS, which has too much to do. */
  | { readonly kind: "hssBusy" }
  | NotAvailable;

/** Identity that an originating request is served for: TS 24.229 §5.4.3.2 step 1. P-Served-User, else P-Asserted-Identity. */
export function originatingIdentity(request: SipMessage): string | undefined {
  const value = request.header("P-Served-User") ?? request.top("P-Asserted-Identity");
  if (value === undefined) return undefined;
  const located = locateUri(value);
  return located === undefined ? undefined : canonicalImpu(value.slice(located.start, located.end));
}

/** What is known of an identity; `wildcard` is the wildcarded identity that the HSS matched it to (P-Profile-Key). */
export async function servedUser(
  { registrations }: ScscfModules,
  impu: string,
  wildcard?: string,
): Promise<ServedUser> {
  let found = await registrations.find(impu);
  if (found.kind === "notFound" && wildcard !== undefined) found = await registrations.find(wildcard);
  if (found.kind !== "found") return found;
  const { registration } = found;
  const member =
    memberOf(registration.profile, impu) ??
    registration.profile.members.find((one) => one.canonical === wildcard);
  return member === undefined ? { kind: "notFound" } : { kind: "served", registration, member, impu };
}

/** Wildcarded identity in P-Profile-Key (RFC 5002), put there by the I-CSCF. */
export function profileKey(request: SipMessage): string | undefined {
  const value = request.header("P-Profile-Key");
  if (value === undefined) return undefined;
  const located = locateUri(value);
  return located === undefined ? undefined : value.slice(located.start, located.end);
}

/** Display name and URI of the user part a request asserts; undefined when malformed. */
export function assertedIdentities(request: SipMessage): readonly string[] {
  return request
    .values("P-Asserted-Identity")
    .map((value) => parseNameAddr(value)?.uriText)
    .filter((uri) => uri !== undefined);
}
