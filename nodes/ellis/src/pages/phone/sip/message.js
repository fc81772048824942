import { splitValues } from "./header.js";

/** Compact forms that a UE meets: RFC 3261 §7.3.3, RFC 3515, RFC 3892, RFC 4028, RFC 6665. */
const COMPACT = new Map([
  ["b", "referred-by"],
  ["c", "content-type"],
  ["e", "content-encoding"],
  ["f", "from"],
  ["i", "call-id"],
  ["k", "supported"],
  ["l", "content-length"],
  ["m", "contact"],
  ["o", "event"],
  ["r", "refer-to"],
  ["s", "subject"],
  ["t", "to"],
  ["v", "via"],
  ["x", "session-expires"],
]);
const START = /^(?:SIP\/2\.0 ([1-6]\d\d) ?(.*)|([A-Z][A-Za-z0-9.!%*_+`'~-]*) (\S+) SIP\/2\.0)$/;

/** A request (method, uri) or a response (status, reason); header names without regard to case. */
export class Message {
  #fields = [];
  body = "";

  static request(method, uri) {
    return Object.assign(new Message(), { method, uri });
  }

  static response(status, reason) {
    return Object.assign(new Message(), { status, reason });
  }

  /** The first line of a header; empty when there is none. */
  get(name) {
    const wanted = name.toLowerCase();
    return this.#fields.find(([each]) => each.toLowerCase() === wanted)?.[1] ?? "";
  }

  lines(name) {
    const wanted = name.toLowerCase();
    return this.#fields.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value);
  }

  /** Values of a header that is a list, however many lines it has. */
  values(name) {
    return this.lines(name).flatMap(splitValues);
  }

  /** Whether a list such as Supported, Require or Allow names something. */
  lists(name, token) {
    return this.values(name).some((value) => value.toLowerCase() === token.toLowerCase());
  }

  add(name, ...values) {
    for (const value of values) this.#fields.push([name, String(value)]);
    return this;
  }

  set(name, value) {
    this.remove(name);
    return this.add(name, value);
  }

  remove(name) {
    const wanted = name.toLowerCase();
    this.#fields = this.#fields.filter(([each]) => each.toLowerCase() !== wanted);
    return this;
  }

  withBody(type, body) {
    this.set("Content-Type", type);
    this.body = body;
    return this;
  }

  clone() {
    const copy = Object.assign(new Message(), this);
    for (const [name, value] of this.#fields) copy.add(name, value);
    return copy;
  }

  get mediaType() {
    return this.get("Content-Type").split(";")[0].trim().toLowerCase();
  }

  get cseq() {
    const [, number = "0", method = ""] = /^(\d+)\s+(\S+)$/.exec(this.get("CSeq")) ?? [];
    return { number: Number(number), method };
  }

  toString() {
    const start =
      this.method === undefined
        ? `SIP/2.0 ${this.status} ${this.reason}`
        : `${this.method} ${this.uri} SIP/2.0`;
    const fields = this.#fields.map(([name, value]) => `${name}: ${value}`);
    const length = new TextEncoder().encode(this.body).length;
    return [start, ...fields, `Content-Length: ${length}`, "", this.body].join("\r\n");
  }
}

/** A message of one WebSocket frame (RFC 7118 §4.2); undefined when it is none that a UE could answer or use. */
export function parseMessage(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [start, ...lines] = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const [, status, reason, method, uri] = START.exec(start) ?? [];
  if (status === undefined && method === undefined) return undefined;
  const message =
    status === undefined ? Message.request(method, uri) : Message.response(Number(status), reason);
  for (const line of lines) {
    const at = line.indexOf(":");
    if (at <= 0) return undefined;
    const name = line.slice(0, at).trim();
    if (name.toLowerCase() === "content-length" || name.toLowerCase() === "l") continue;
    message.add(COMPACT.get(name.toLowerCase()) ?? name, line.slice(at + 1).trim());
  }
  message.body = text.slice(end + 4);
  const needed = ["Via", "From", "To", "Call-ID", "CSeq"];
  return needed.every((name) => message.get(name) !== "") && message.cseq.method !== "" ? message : undefined;
}
