import { isEmergencyContact } from "@ims/ims";
import { decimal, parseNameAddr, type SipMessage, uriKey } from "@ims/sip";
import { type Binding, EMERGENCY_KEY } from "../store/registration.ts";

/** One Contact of a REGISTER. */
export interface RequestedContact {
  readonly contact: string;
  readonly key: string;
  /** s; 0 removes. */
  readonly expires: number;
  readonly q: number;
  readonly instance: string;
  readonly regId: number;
  readonly parameters: string;
  /** TS 24.229 §5.4.8.2. */
  readonly emergency: boolean;
}

export type RequestedContacts =
  | { readonly kind: "fetch" }
  | { readonly kind: "all" }
  | { readonly kind: "contacts"; readonly contacts: readonly RequestedContact[] }
  | { readonly kind: "malformed" };

/** More Contacts than any UE registers at once. */
const MAX_CONTACTS = 16;
/** Longer than any real one; all contacts of a user must fit a response and a record. */
const MAX_CONTACT_LENGTH = 2_048;
/** RFC 3261 §20.19: anything not understood counts as an hour. */
const DEFAULT_EXPIRES = 3600;

/** Contacts of a REGISTER: RFC 3261 §10.3 steps 6 and 7. */
export function requestedContacts(request: SipMessage, outbound: boolean): RequestedContacts {
  const values = request.values("Contact");
  const header = request.header("Expires");
  const general = header === undefined ? DEFAULT_EXPIRES : (decimal(header) ?? DEFAULT_EXPIRES);
  if (values.length === 0) return { kind: "fetch" };
  if (values.includes("*"))
    return values.length === 1 && header !== undefined && general === 0
      ? { kind: "all" }
      : { kind: "malformed" };
  if (values.length > MAX_CONTACTS) return { kind: "malformed" };
  const contacts: RequestedContact[] = [];
  for (const value of values) {
    const contact = readContact(value, general, outbound);
    if (contact === undefined || contacts.some((other) => other.key === contact.key))
      return { kind: "malformed" };
    // One answer is not for both: what holds for an emergency holds for nothing else.
    if (contact.emergency !== (contacts[0] ?? contact).emergency) return { kind: "malformed" };
    contacts.push(contact);
  }
  return { kind: "contacts", contacts };
}

function readContact(value: string, general: number, outbound: boolean): RequestedContact | undefined {
  const address = value.length > MAX_CONTACT_LENGTH ? undefined : parseNameAddr(value);
  if (address === undefined) return undefined;
  const { uri, parameters } = address;
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return undefined;
  const stated = parameters.get("expires");
  const expires = stated === undefined ? general : (decimal(stated) ?? DEFAULT_EXPIRES);
  const instance = (parameters.get("+sip.instance") ?? "").replace(/^<|>$/g, "");
  // A line feed would break the tokens the instance goes into.
  if (/[\r\n]/.test(instance) || instance.startsWith(EMERGENCY_KEY)) return undefined;
  const emergency = isEmergencyContact(value);
  const regId = outbound && instance !== "" ? (decimal(parameters.get("reg-id") ?? "") ?? 0) : 0;
  parameters.delete("expires").delete("pub-gruu").delete("temp-gruu");
  return {
    contact: address.uriText,
    key: `${emergency ? EMERGENCY_KEY : ""}${keyOf(instance, regId, uriKey(uri))}`,
    expires,
    q: qOf(parameters.get("q")),
    instance,
    regId,
    parameters: parameters.toString(),
    emergency,
  };
}

/**
 * Equal keys are one binding: a flow by instance and reg-id (RFC 5626 §6); without multiple registrations one UE has
 * one contact (TS 24.229 §5.4.1.2.2F); else the contact URI counts (RFC 3261 §10.3).
 */
function keyOf(instance: string, regId: number, contact: string): string {
  return instance === "" ? contact : `${instance}|${regId}`;
}

/** q in thousandths; 1 when absent or malformed (RFC 3261 §10.2.1.2). */
function qOf(text: string | undefined): number {
  if (text === undefined || !/^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text)) return 1000;
  return Math.round(Number(text) * 1000);
}

/** The Contact of a binding in a response, with what is left of its time. */
export function contactValue(binding: Binding, now: number, gruus: string): string {
  const left = Math.max(0, Math.round((binding.expiresAt - now) / 1000));
  return `<${binding.contact}>${binding.parameters}${gruus};expires=${left}`;
}
