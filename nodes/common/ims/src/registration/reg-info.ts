import { attributeOf, childrenOf, type Element, escapeXml, readXml, XmlRefused } from "../profile/xml.ts";

/** Why a contact is as it is: RFC 3680 §5.3.3, attribute event. */
export const CONTACT_EVENTS = [
  "registered",
  "created",
  "refreshed",
  "shortened",
  "expired",
  "deactivated",
  "probation",
  "unregistered",
  "rejected",
] as const;
export type ContactEvent = (typeof CONTACT_EVENTS)[number];

export type RegInfoContact = {
  /** Unique in the subscription, and the same in every document of it. */
  readonly id: string;
  readonly state: "active" | "terminated";
  readonly event: ContactEvent;
  readonly uri: string;
  /** s; required for "shortened". */
  readonly expires?: number | undefined;
  /** s; for "probation" only. */
  readonly retryAfter?: number | undefined;
  /** Thousandths. */
  readonly q?: number | undefined;
  readonly callId?: string | undefined;
  readonly cseq?: number | undefined;
  /** Other header parameters of the Contact, values as they were sent. */
  readonly unknownParameters?: readonly (readonly [name: string, value: string])[];
  /** RFC 5628 §5. */
  readonly publicGruu?: string | undefined;
  readonly temporaryGruu?: { readonly uri: string; readonly firstCseq: number } | undefined;
};

export type RegInfoRegistration = {
  readonly aor: string;
  readonly id: string;
  readonly state: "init" | "active" | "terminated";
  readonly contacts: readonly RegInfoContact[];
  /** Wildcarded public user identity that this element stands for: TS 24.229 §7.10.2. */
  readonly wildcard?: string | undefined;
};

/** A document of the registration event package: RFC 3680 §5. */
export type RegInfo = {
  readonly version: number;
  readonly state: "full" | "partial";
  readonly registrations: readonly RegInfoRegistration[];
};

export const REG_INFO_TYPE = "application/reginfo+xml";

/** The document as text. */
export function buildRegInfo({ version, state, registrations }: RegInfo): string {
  const gruus = registrations.some(({ contacts }) => contacts.some((one) => one.publicGruu !== undefined));
  const wildcards = registrations.some(({ wildcard }) => wildcard !== undefined);
  const spaces = [
    ' xmlns="urn:ietf:params:xml:ns:reginfo"',
    gruus ? ' xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"' : "",
    wildcards ? ' xmlns:ere="urn:3gpp:ns:extRegExp:1.0"' : "",
  ].join("");
  const body = registrations.map(registrationElement).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n<reginfo${spaces} version="${version}" state="${state}">${body}</reginfo>\r\n`;
}

function registrationElement({ aor, id, state, contacts, wildcard }: RegInfoRegistration): string {
  const range =
    wildcard === undefined ? "" : `<ere:wildcardedIdentity>${escapeXml(wildcard)}</ere:wildcardedIdentity>`;
  const attributes = `aor="${escapeXml(aor)}" id="${escapeXml(id)}" state="${state}"`;
  return `<registration ${attributes}>${contacts.map(contactElement).join("")}${range}</registration>`;
}

function contactElement(contact: RegInfoContact): string {
  const { id, state, event, uri, unknownParameters = [], publicGruu, temporaryGruu } = contact;
  const attributes = [
    attribute("id", id),
    attribute("state", state),
    attribute("event", event),
    attribute("expires", contact.expires),
    attribute("retry-after", contact.retryAfter),
    attribute("q", contact.q === undefined ? undefined : (contact.q / 1000).toFixed(3)),
    attribute("callid", contact.callId),
    attribute("cseq", contact.cseq),
  ].join("");
  const unknown = unknownParameters.map(
    ([name, value]) => `<unknown-param${attribute("name", name)}>${escapeXml(value)}</unknown-param>`,
  );
  const open = publicGruu === undefined ? "" : `<gr:pub-gruu${attribute("uri", publicGruu)}/>`;
  const hidden =
    publicGruu === undefined || temporaryGruu === undefined
      ? ""
      : `<gr:temp-gruu${attribute("uri", temporaryGruu.uri)}${attribute("first-cseq", temporaryGruu.firstCseq)}/>`;
  return `<contact${attributes}><uri>${escapeXml(uri)}</uri>${unknown.join("")}${open}${hidden}</contact>`;
}

function attribute(name: string, value: string | number | undefined): string {
  return value === undefined ? "" : ` ${name}="${escapeXml(String(value))}"`;
}

export type RegInfoResult =
  | { readonly kind: "parsed"; readonly regInfo: RegInfo }
  | { readonly kind: "malformed"; readonly reason: string };

/** Hundreds of identities with several contacts each. */
const MAX_LENGTH = 256 * 1024;

/** Reads a document; extensions that are not known are passed over, as RFC 3680 §5.3 asks. Never throws. */
export function parseRegInfo(xml: string): RegInfoResult {
  try {
    const root = readXml(xml, MAX_LENGTH);
    if (root.name !== "reginfo") throw new XmlRefused("NOT_XML", `root element ${root.name.slice(0, 80)}`);
    return {
      kind: "parsed",
      regInfo: {
        version: count(required(root, "version"), "version"),
        state: oneOf(["full", "partial"], required(root, "state"), "state"),
        registrations: childrenOf(root, "registration").map(registrationOf),
      },
    };
  } catch (error) {
    if (error instanceof XmlRefused) return { kind: "malformed", reason: error.message };
    throw error;
  }
}

function registrationOf(element: Element): RegInfoRegistration {
  const [wildcard] = childrenOf(element, "wildcardedIdentity");
  return {
    aor: required(element, "aor"),
    id: required(element, "id"),
    state: oneOf(["init", "active", "terminated"], required(element, "state"), "state"),
    contacts: childrenOf(element, "contact").map(contactOf),
    ...(wildcard === undefined ? {} : { wildcard: wildcard.text }),
  };
}

function contactOf(element: Element): RegInfoContact {
  const [uri] = childrenOf(element, "uri");
  if (uri === undefined) throw new XmlRefused("MISSING_ELEMENT", "a contact without uri");
  const optional = (name: string): number | undefined => {
    const value = attributeOf(element, name);
    return value === undefined ? undefined : count(value, name);
  };
  const q = attributeOf(element, "q");
  const [open] = childrenOf(element, "pub-gruu");
  const [hidden] = childrenOf(element, "temp-gruu");
  return {
    id: required(element, "id"),
    state: oneOf(["active", "terminated"], required(element, "state"), "state"),
    event: oneOf(CONTACT_EVENTS, required(element, "event"), "event"),
    uri: uri.text,
    expires: optional("expires"),
    retryAfter: optional("retry-after"),
    q: q === undefined ? undefined : Math.round(Number(q) * 1000) || 0,
    callId: attributeOf(element, "callid"),
    cseq: optional("cseq"),
    unknownParameters: childrenOf(element, "unknown-param").map(
      (one) => [required(one, "name"), one.text] as const,
    ),
    publicGruu: open && attributeOf(open, "uri"),
    temporaryGruu:
      hidden === undefined
        ? undefined
        : { uri: required(hidden, "uri"), firstCseq: count(required(hidden, "first-cseq"), "first-cseq") },
  };
}

function required(element: Element, name: string): string {
  const value = attributeOf(element, name);
  if (value === undefined || value === "")
    throw new XmlRefused("MISSING_ELEMENT", `<${element.name.slice(0, 80)}> without ${name}`);
  return value;
}

function oneOf<T extends string>(known: readonly T[], value: string, name: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new XmlRefused("BAD_VALUE", `${name} is ${value.slice(0, 80)}`);
  return found;
}

function count(value: string, name: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw new XmlRefused("BAD_VALUE", `${name} is ${value.slice(0, 80)}`);
  return Number(value);
}
