import type { TrailContent, TrailGlance, TrailIdentifiers, TrailReader } from "@ims/runtime";
import type { SipMessage } from "../message/message.ts";
import { parseNameAddr } from "../message/name-addr.ts";
import { parseMessage } from "../message/parser.ts";
import { parseUri } from "../message/uri.ts";
import { redactSip } from "./redact-sip.ts";

/** Fields that name public identities. */
const NAMING = [
  "P-Asserted-Identity",
  "P-Preferred-Identity",
  "P-Served-User",
  "P-Called-Party-ID",
  "P-Associated-URI",
] as const;

/** SIP messages of the trail. What is shown of them is redacted here once more, whatever was kept. */
export const sipReader: TrailReader = {
  read(bytes): TrailContent {
    const kept = bytes.toString("latin1");
    const { message } = parseMessage(kept);
    const text = redactSip(kept, { nonces: "digested" });
    if (message === undefined) return { kind: "sip", title: "unreadable", text };
    return { kind: "sip", ...contentOf(message), text };
  },
  identifiers(bytes): TrailIdentifiers {
    const text = bytes.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const head = end < 0 ? text : text.slice(0, end + 2);
    const callId = CALL_ID.exec(head)?.[1]?.trim();
    const vector = CHARGING_VECTOR.exec(head)?.[1];
    const icid = vector === undefined ? undefined : icidIn(vector);
    return { ...(callId === undefined ? {} : { callId }), ...(icid === undefined ? {} : { icid }) };
  },
  glance,
};

const BEGINNINGS: ReadonlySet<number> = new Set(Buffer.from("IRBS"));
const START_LINE = /^(?:(INVITE|REGISTER|BYE) |SIP\/2\.0 ([2-6][0-9]{2})(?: ([^\r\n]{0,200}))?)/;
const CSEQ_METHOD = /\r\ncseq[ \t]*:[ \t]*[0-9]+[ \t]+(INVITE|REGISTER)[ \t]*\r\n/i;
const FROM = /\r\n(?:from|f)[ \t]*:([^\r\n]*)/i;
const TO = /\r\n(?:to|t)[ \t]*:([^\r\n]*)/i;
const TAG = /;[ \t]*tag[ \t]*=[^">]*$/i;
/** RFC 3261 §10.2.2. */
const EXPIRES_NOW =
  /\r\nexpires[ \t]*:[ \t]*0+[ \t]*\r\n|\r\n(?:contact|m)[ \t]*:[^\r\n]*;[ \t]*expires=0+(?![0-9])/i;

/** INVITE, REGISTER, BYE, and final answers to the first two. */
function glance(bytes: Buffer): TrailGlance | undefined {
  if (!BEGINNINGS.has(bytes[0] ?? 0)) return undefined;
  const start = START_LINE.exec(bytes.toString("latin1", 0, 220));
  if (start === null) return undefined;
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const head = end < 0 ? text : text.slice(0, end + 2);
  const callId = CALL_ID.exec(head)?.[1]?.trim() ?? "";
  if (callId === "") return undefined;
  const vector = CHARGING_VECTOR.exec(head)?.[1];
  const icid = vector === undefined ? undefined : icidIn(vector);
  const [, requested, status, reason = ""] = start;
  const to = TO.exec(head)?.[1] ?? "";
  const common = { callId, icid, inDialog: TAG.test(to) };
  if (requested === undefined) {
    const method = CSEQ_METHOD.exec(head)?.[1]?.toUpperCase();
    return method === undefined
      ? undefined
      : { ...common, request: false, method, status: Number(status), reason };
  }
  return {
    ...{ ...common, request: true, method: requested },
    ...{ from: uriOf(FROM.exec(head)?.[1]?.trim()), to: uriOf(to.trim()) },
    ...(requested === "REGISTER" && EXPIRES_NOW.test(head) ? { ends: true } : {}),
  };
}

const CALL_ID = /\r\n(?:call-id|i)[ \t]*:([^\r\n]*)/i;
const CHARGING_VECTOR = /\r\np-charging-vector[ \t]*:([^\r\n]*)/i;

function contentOf(message: SipMessage): Omit<TrailContent, "kind"> {
  const { isRequest, status, callId } = message;
  const method = isRequest ? message.method : message.cseqMethod;
  const title = isRequest
    ? withoutPassword(`${method} ${message.requestUri}`)
    : `${status} ${message.reason} (${method})`;
  const icid = icidOf(message);
  return {
    title,
    request: isRequest,
    method,
    ...(isRequest ? {} : { status }),
    ...(callId === "" ? {} : { callId }),
    ...(icid === undefined ? {} : { icid }),
    identities: [...new Set(identitiesOf(message))],
    message: `${isRequest ? method : status}|${message.topVia?.branch ?? ""}|${message.cseqNumber} ${method}|${callId}`,
    fields: {
      from: uriOf(message.header("From")),
      to: uriOf(message.header("To")),
      fromTag: message.fromTag,
      toTag: message.toTag,
      cseq: message.cseqNumber,
    },
  };
}

function icidOf(message: SipMessage): string | undefined {
  return icidIn(message.header("P-Charging-Vector") ?? "");
}

function icidIn(vector: string): string | undefined {
  const [, quoted, bare] = /(?:^|;)\s*icid-value\s*=\s*(?:"([^"]*)"|([^;,\s]*))/i.exec(vector) ?? [];
  return quoted ?? bare;
}

const USER_NAME = /[\s,]username\s*=\s*"([^"\\]*)"/i;

function identitiesOf(message: SipMessage): string[] {
  const found: (string | undefined)[] = [
    uriOf(message.header("From")),
    uriOf(message.header("To")),
    identityOf(message.requestUri),
  ];
  for (const name of NAMING) for (const value of message.values(name)) found.push(uriOf(value));
  for (const name of ["Authorization", "Proxy-Authorization"] as const)
    for (const value of message.values(name)) found.push(USER_NAME.exec(value)?.[1]);
  return found.flatMap((one) => (one === undefined || one === "" ? [] : [one]));
}

function uriOf(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseNameAddr(value);
  return address === undefined ? undefined : identityOf(address.uriText);
}

/** The URI of a user, without what does not tell users apart. */
function identityOf(text: string): string | undefined {
  const uri = parseUri(text);
  if (uri === undefined) return undefined;
  if (uri.scheme === "tel") return `tel:${uri.user}`;
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return undefined;
  return uri.user === "" ? undefined : `${uri.scheme}:${uri.user}@${uri.host}`;
}

function withoutPassword(line: string): string {
  return redactSip(line, { nonces: "digested" });
}
