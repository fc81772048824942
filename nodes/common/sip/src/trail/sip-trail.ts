import type { Trail } from "@ims/runtime";
import { HeaderSet } from "../message/header-names.ts";
import type { SipMessage } from "../message/message.ts";
import type { Flow } from "../transport/transport.ts";
import { hideProofs } from "./hide-proofs.ts";
import { KnownEnds } from "./known-ends.ts";
import { sipReader } from "./read-sip.ts";
import { isHarmlessBody, redactSip } from "./redact-sip.ts";

const CREDENTIALS = new HeaderSet([
  "Authorization",
  "Proxy-Authorization",
  "WWW-Authenticate",
  "Proxy-Authenticate",
  "Authentication-Info",
]);

/** What a node's trail is told of the SIP of one transport layer: whole messages, as they come and go. Keeps nothing of a message but a copy of its text. */
export class SipTrail {
  readonly #trail: Trail;
  readonly #kind: number;
  readonly #ends = new KnownEnds();

  constructor(trail: Trail) {
    this.#trail = trail;
    this.#kind = trail.addReader("sip", sipReader);
  }

  received(message: SipMessage, text: string, flow: Flow): void {
    const shown = isClean(message) ? text : (flow.handed?.take(text) ?? cleaned(message, text));
    this.#trail.text(this.#kind, "in", this.#ends.of(flow), shown);
  }

  sent(message: SipMessage, text: string, flow: Flow): void {
    if (isClean(message)) return this.#trail.text(this.#kind, "out", this.#ends.of(flow), text);
    const shown = cleaned(message, text);
    // The other end is told the same text in a moment.
    flow.handed?.put(text, shown);
    this.#trail.text(this.#kind, "out", this.#ends.of(flow), shown);
  }

  /** Something that is no message, or cannot be read. */
  receivedText(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "in", this.#ends.of(flow), redacted(text));
  }

  /** A message sent again. */
  sentText(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "out", this.#ends.of(flow), redacted(text));
  }

  /** A refusal for overload: it has no credentials, and must cost next to nothing. */
  shed(text: string, flow: Flow): void {
    this.#trail.text(this.#kind, "out", this.#ends.of(flow), text);
  }

  decided(callId: string, what: string, fields: Parameters<Trail["decided"]>[2]): void {
    this.#trail.decided(callId, what, fields);
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
