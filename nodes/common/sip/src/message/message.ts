import { HeaderLines } from "./header-lines.ts";
import { type HeaderId, HeaderIds } from "./header-names.ts";
import { parameterAt } from "./parameters.ts";
import { RouteValue } from "./route-value.ts";
import { parseUri, type Uri } from "./uri.ts";
import { decimal } from "./values.ts";
import { parseVia, type Via } from "./via.ts";

/** Octets of a request beside method, Request-URI, lines and body, and of a response beside reason, lines and body. */
const AROUND_URI = "  SIP/2.0\r\n\r\n".length;
const AROUND_REASON = "SIP/2.0 200 \r\n\r\n".length;

const { Via: VIA, Route: ROUTE, From: FROM, To: TO, "Call-ID": CALL_ID, CSeq: CSEQ } = HeaderIds;

/**
 * A SIP message (RFC 3261 §7): start line, header lines and body, and what every layer asks of the lines, read once. An independent copy shares the received text
 * and what was read.
 */
export class SipMessage extends HeaderLines {
  readonly #bodyStart: number;
  #body: string | undefined;
  #topVia: Via | undefined;
  /** Shared with copies until a Route line changes. */
  #routes: readonly RouteValue[] | undefined;
  #target: Uri | undefined;
  /** What #target was read from. */
  #targetText = "";
  /** What every layer asks for again; undefined: not read yet. */
  #callId: string | undefined;
  #fromTag: string | undefined;
  #toTag: string | undefined;
  #cseqMethod: string | undefined;
  #cseqNumber = -1;

  /** Of a request, else "". */
  method: string;
  /** Of a request, as written; assign to retarget. */
  requestUri: string;
  /** Of a response, else 0. */
  readonly status: number;
  readonly reason: string;

  /**
   * `table` and `added` belong to the message from here on. Prefer SipMessage.request, SipMessage.response and parseMessage. Listed, not
   * named: one of these is made for every message that passes.
   */
  constructor(
    text: string,
    bodyStart: number,
    table: number[],
    added: string[],
    body: string | undefined,
    method: string,
    requestUri: string,
    status: number,
    reason: string,
    folded: boolean,
  ) {
    super(text, table, added, folded);
    this.#bodyStart = bodyStart;
    this.#body = body;
    this.#topVia = undefined;
    this.#routes = undefined;
    this.#target = undefined;
    this.#callId = undefined;
    this.#fromTag = undefined;
    this.#toTag = undefined;
    this.#cseqMethod = undefined;
    this.method = method;
    this.requestUri = requestUri;
    this.status = status;
    this.reason = reason;
  }

  static request(method: string, requestUri: string): SipMessage {
    return new SipMessage("", 0, [], [], "", method, requestUri, 0, "", false);
  }

  static response(status: number, reason: string): SipMessage {
    return new SipMessage("", 0, [], [], "", "", "", status, reason, false);
  }

  get isRequest(): boolean {
    return this.status === 0;
  }

  /** An independent copy; the received text is shared. */
  clone(): SipMessage {
    const copy = new SipMessage(
      this.text,
      this.#bodyStart,
      this.copyTable(),
      this.copyAdded(),
      this.#body,
      this.method,
      this.requestUri,
      this.status,
      this.reason,
      this.folded,
    );
    copy.#routes = this.#routes;
    copy.#target = this.#target;
    copy.#targetText = this.#targetText;
    copy.#callId = this.#callId;
    copy.#fromTag = this.#fromTag;
    copy.#toTag = this.#toTag;
    copy.#cseqMethod = this.#cseqMethod;
    copy.#cseqNumber = this.#cseqNumber;
    return copy;
  }

  get body(): string {
    return this.#body ?? this.text.slice(this.#bodyStart);
  }

  /** Replaces the body and makes Content-Length agree. */
  setBody(body: string, contentType?: string): this {
    this.#body = body;
    if (contentType !== undefined) this.set("Content-Type", contentType);
    return this.set("Content-Length", String(body.length));
  }

  /** Octets on the wire, without making the text. */
  get length(): number {
    const around = this.isRequest
      ? this.method.length + this.requestUri.length + AROUND_URI
      : this.reason.length + AROUND_REASON;
    return around + this.linesLength + (this.#body?.length ?? this.text.length - this.#bodyStart);
  }

  /** Drops octets beyond Content-Length (RFC 3261 §18.3). */
  truncateBody(length: number): void {
    this.#body = this.body.slice(0, length);
  }

  /** Values of Route in order, each read at most once in the life of the message and its copies. */
  get routes(): readonly RouteValue[] {
    this.#routes ??= this.valuesOf(ROUTE).map((text) => new RouteValue(text));
    return this.#routes;
  }

  /** Request-URI; undefined when it cannot be read. */
  get target(): Uri | undefined {
    if (this.#targetText !== this.requestUri) {
      this.#target = parseUri(this.requestUri);
      this.#targetText = this.requestUri;
    }
    return this.#target;
  }

  /** Takes the first Route value off (RFC 3261 §16.4, §16.12). */
  popRoute(): this {
    const { routes } = this;
    if (routes.length === 0) return this;
    // Empty values are none, and go with it.
    while (this.takeTop("Route") === "");
    this.#routes = routes.slice(1);
    return this;
  }

  /** Top Via, parsed once; undefined when absent or malformed. */
  get topVia(): Via | undefined {
    if (this.#topVia === undefined) {
      const value = this.topOf(VIA);
      if (value !== undefined) this.#topVia = parseVia(value);
    }
    return this.#topVia;
  }

  get callId(): string {
    this.#callId ??= this.firstOf(CALL_ID) ?? "";
    return this.#callId;
  }

  get fromTag(): string {
    this.#fromTag ??= tagOf(this.firstOf(FROM));
    return this.#fromTag;
  }

  get toTag(): string {
    this.#toTag ??= tagOf(this.firstOf(TO));
    return this.#toTag;
  }

  /** CSeq sequence number, or -1 when malformed. */
  get cseqNumber(): number {
    if (this.#cseqMethod === undefined) this.#readCseq();
    return this.#cseqNumber;
  }

  get cseqMethod(): string {
    return this.#cseqMethod ?? this.#readCseq();
  }

  #readCseq(): string {
    const value = this.firstOf(CSEQ) ?? "";
    const end = endOfWord(value);
    this.#cseqNumber = decimal(value.slice(0, end)) ?? -1;
    this.#cseqMethod = value.slice(end).trim();
    return this.#cseqMethod;
  }

  /** The whole message, ready for the wire (latin1: one char, one byte). */
  override toString(): string {
    const startLine = this.isRequest
      ? `${this.method} ${this.requestUri} SIP/2.0\r\n`
      : `SIP/2.0 ${this.status} ${this.reason}\r\n`;
    return `${this.withLines(startLine)}\r\n${this.body}`;
  }

  protected override changed(id: HeaderId | undefined): void {
    if (id === undefined || id === VIA) this.#topVia = undefined;
    if (id === undefined || id === ROUTE) this.#routes = undefined;
    if (id === undefined || id === FROM || id === TO || id === CALL_ID || id === CSEQ) this.#forget();
  }

  /** What was read of lines that are others now. */
  #forget(): void {
    this.#callId = undefined;
    this.#fromTag = undefined;
    this.#toTag = undefined;
    this.#cseqMethod = undefined;
  }
}

function endOfWord(value: string): number {
  let at = 0;
  while (at < value.length && value.charCodeAt(at) > 0x20) at++;
  return at;
}

/** The tag of a From or To value: a header parameter, so after any ">" (RFC 3261 §20.10). */
export function tagOf(value: string | undefined): string {
  if (value === undefined) return "";
  const close = value.lastIndexOf(">");
  return parameterAt(value, "tag", Math.max(close, 0)) ?? "";
}
