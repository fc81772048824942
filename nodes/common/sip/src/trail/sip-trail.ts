import type { Trail, TrailEnds } from "@ims/runtime";
import { HeaderSet } from "../message/header-names.ts";
import type { SipMessage } from "../message/message.ts";
import type { Flow } from "../transport/transport.ts";
import { hideProofs } from "./hide-proofs.ts";
import { sipReader } from "./read-sip.ts";
import { isHarmlessBody, redactSip } from "./redact-sip.ts";

const CREDENTIALS = new HeaderSet([
  "Authorization",
  "Proxy-Authorization",
  "WWW-Authenticate",
  "Proxy-Authenticate",
  "Authentication-Info",
]);

/** What a node's trail is told of SIP: whole messages, as they come and go. Keeps nothing of a message but a copy of its text. */
export class SipTrail {
  readonly #trail: Trail;
  readonly #kind: number;

  constructor(trail: Trail) {
    this.#trail = trail;
    this.#kind = trail.addReader("sip", sipReader);
  }

  received(message: SipMessage, text: string, flow: Flow): void {
    const shown = isClean(message) ? text : (flow.handed?.take(text) ?? cleaned(message, text));
    this.#trail.text(this.#kind, "in", this.#endsOf(flow), shown);
  }

  sent(message: SipMessage, text: string, flow: Flow): void {
    if (isClean(message)) return this.#trail.text(this.#kind, "out", this.#endsOf(flow), text);
    const shown = cleaned(message, text);
    // The other end is told the same text in a moment.
    flow.handed?.put(text, shown);
    this.#trail.text(this.#kind, "out", this.#endsOf(flow), shown);
  }

  /** Something that is no message, or cannot be read. */
  receivedText(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "in", this.#endsOf(flow), redacted(text));
  }

  /** A message sent again. */
  sentText(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "out", this.#endsOf(flow), redacted(text));
  }

  /** A refusal for overload: it has no credentials, and must cost next to nothing. */
  shed(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "out", this.#endsOf(flow), text);
  }

  decided(callId: string, what: string, fields: Parameters<Trail["decided"]>[2]): void {
    this.#trail.decided(callId, what, fields);
  }

  #endsOf(flow: Flow): TrailEnds {
    const known = flow.trailEnds;
    if (known !== undefined) return known;
    const ends: TrailEnds = {
      protocol: flow.protocol,
      side: flow.side,
      local: hostPort(flow.localAddress, flow.localPort),
      remote: hostPort(flow.remoteAddress, flow.remotePort),
    };
    // Until a connection is open its own port is not known.
    if (flow.localPort !== 0) flow.trailEnds = ends;
    return ends;
  }
}

/** Most messages are kept as they are: a look at the kinds of their header fields is all. */
function isClean(message: SipMessage): boolean {
  return message.body === "" && !message.hasAny(CREDENTIALS);
}

function cleaned(message: SipMessage, text: string): string {
  const { body } = message;
  if (body !== "" && !isHarmlessBody(body, message.header("Content-Type"))) return redacted(text);
  if (!message.hasAny(CREDENTIALS)) return text;
  return hideProofs(text, CREDENTIALS) ?? redacted(text);
}

function redacted(text: string): string {
  return redactSip(text, { nonces: "kept" });
}

function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
