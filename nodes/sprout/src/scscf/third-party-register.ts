import type { ApplicationServer } from "@ims/ims";
import { SipMessage } from "@ims/sip";
import type { RegisterExchange } from "./modules.ts";

export interface ThirdPartyRegister {
  readonly applicationServer: ApplicationServer;
  /** Public user identity as the HSS spells it. */
  readonly identity: string;
  readonly scscfUri: string;
  readonly homeDomain: string;
  /** s; 0 deregisters. */
  readonly expires: number;
  /** "": none. */
  readonly chargingAddresses: string;
  /** What the UE sent and got; undefined when it has not deregistered itself. */
  readonly exchange: RegisterExchange | undefined;
  readonly tag: string;
  readonly callId: string;
  /** For when the UE's REGISTER has none. */
  readonly icid: string;
}

/** REGISTER of the S-CSCF to an application server: TS 24.229 §5.4.1.7. Via, Max-Forwards and Content-Length are the sender's. */
export function thirdPartyRegister(given: ThirdPartyRegister): SipMessage {
  const { applicationServer, identity, scscfUri, homeDomain, expires, exchange } = given;
  const { serverName } = applicationServer;
  const register = SipMessage.request("REGISTER", serverName)
    .append("From", `<${scscfUri}>;tag=${given.tag}`)
    .append("To", `<${identity}>`)
    .append("Call-ID", given.callId)
    .append("CSeq", "1 REGISTER")
    .append("Contact", `<${scscfUri}>`)
    .append("Expires", String(expires));
  const request = exchange?.request;
  if (request !== undefined)
    register.copy("P-Visited-Network-ID", request).copy("P-Access-Network-Info", request);
  // Of the UE's own vector only the icid: who sent that vouched for other networks.
  const icid =
    /icid-value=("[^"]*"|[^;\s]+)/i.exec(request?.header("P-Charging-Vector") ?? "")?.[1] ?? given.icid;
  register.append("P-Charging-Vector", `icid-value=${icid};orig-ioi="${homeDomain}"`);
  if (given.chargingAddresses !== "")
    register.append("P-Charging-Function-Addresses", given.chargingAddresses);
  const parts = bodyParts(applicationServer, exchange);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) register.setBody(only.body, only.type);
  else if (parts.length > 1) {
    // A token of 144 random bits occurs in no part.
    const boundary = given.tag;
    const all = parts.map(({ type, body }) => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`);
    register.setBody(`${all.join("")}--${boundary}--\r\n`, `multipart/mixed;boundary="${boundary}"`);
  }
  return register;
}

/** The REGISTER that would have made of a registration what has become of it otherwise; ended it, unless told how long it lasts, s. */
export function synthesisedRegister(
  impu: string,
  homeDomain: string,
  { contact, expires }: { readonly contact: string; readonly expires: number } = { contact: "*", expires: 0 },
): SipMessage {
  return SipMessage.request("REGISTER", `sip:${homeDomain}`)
    .append("From", `<${impu}>`)
    .append("To", `<${impu}>`)
    .append("Contact", contact)
    .append("Expires", String(expires));
}

interface Part {
  readonly type: string;
  readonly body: string;
}

/** Service information (TS 24.229 §7.6), the UE's REGISTER and our answer to it, as the filter criteria ask for. */
function bodyParts(server: ApplicationServer, exchange: RegisterExchange | undefined): readonly Part[] {
  const parts: Part[] = [];
  if (server.serviceInfo !== undefined && server.serviceInfo !== "")
    parts.push({ type: "application/3gpp-ims+xml", body: serviceInfo(server.serviceInfo) });
  if (server.includeRegisterRequest && exchange !== undefined)
    parts.push({ type: "message/sip", body: withoutProof(exchange.request).toString() });
  if (server.includeRegisterResponse && exchange !== undefined)
    parts.push({ type: "message/sip", body: exchange.response.toString() });
  return parts;
}

/** An application server learns the IMPI from the credentials, but may not prove to be the UE. */
function withoutProof(request: SipMessage): SipMessage {
  const lines = request.lines("Authorization");
  if (lines.length === 0) return request;
  const copy = request.clone().remove("Authorization");
  for (const line of lines)
    copy.append("Authorization", line.replace(/(\bresponse\s*=\s*)(?:"[^"]*"|[^,\s]*)/gi, '$1""'));
  return copy;
}

function serviceInfo(text: string): string {
  const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const octets = Buffer.from(escaped).toString("latin1");
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n<ims-3gpp version="1"><service-info>${octets}</service-info></ims-3gpp>`;
}
