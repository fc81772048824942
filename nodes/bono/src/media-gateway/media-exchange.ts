import type { ForkOptions, RequestContext, SipMessage } from "@ims/sip";
import { type DescriptionInBody, descriptionIn, replaceDescription } from "./body.ts";
import type { MediaMemory, MediaSession, Side } from "./media-session.ts";
import type { NgOutcome } from "./ng-gateway.ts";
import { profileOf } from "./ng-profile.ts";
import { type MediaKind, withoutWebRtc } from "./session-description.ts";

/** What an endpoint or an operator is told of a session description that could not be converted (RFC 3261 §20.43). */
const WARNING = '399 tidewater "No media gateway for this session description"';

const UNREACHABLE = "no gateway answers";

export interface MediaExchangeParts {
  readonly request: SipMessage;
  readonly from: Side;
  /** What the UE speaks; the core side of a session speaks the other one. */
  readonly kind: MediaKind;
  readonly session: MediaSession;
  /** The same session at gateways that may be tried too. */
  readonly spare: readonly MediaSession[];
  readonly onFailure: "refuse" | "pass";
  readonly media: MediaMemory;
  readonly defect: (error: unknown) => void;
}

/** The session descriptions of one request and its responses on their way through a media gateway (RFC 3264, RFC 6337 §2). */
export class MediaExchange {
  readonly #parts: MediaExchangeParts;
  readonly #hadDescription: boolean;
  #session: MediaSession;
  /** The gateway has it. */
  #established = false;
  /** The offer went on as it was; so do its answers. */
  #passes = false;
  /** Responses leave in the order they came. */
  #last: Promise<void> | undefined;

  constructor(parts: MediaExchangeParts) {
    this.#parts = parts;
    this.#session = parts.session;
    this.#hadDescription = descriptionIn(parts.request) !== undefined;
  }

  get session(): MediaSession {
    return this.#session;
  }

  /** For our Record-Route, once the request was converted. */
  get marker(): string {
    return this.#passes ? "" : this.#session.marker;
  }

  /** Converts what a request offers, or answers. False: it does not go on; who sent it has been told. */
  async converts(context: RequestContext, forward: SipMessage): Promise<boolean> {
    const { request, media, onFailure } = this.#parts;
    const begins = request.toTag === "";
    if (begins)
      context.onUpstream(({ status }) => {
        if (status >= 300) this.#release();
      });
    const found = descriptionIn(forward);
    let failure: string | undefined;
    if (found !== undefined) {
      const isAnswer = request.method === "PRACK" && media.openOffers.take(this.#session.key) === true;
      failure = await this.#converted(forward, found, isAnswer ? "answer" : "offer", this.#parts.from);
      if (context.answered || context.cancelled) {
        if (begins) this.#release();
        return false;
      }
    } else if (begins && this.#session.gateway === undefined) failure = UNREACHABLE;
    if (failure === undefined) return true;
    this.#passes = true;
    context.decided("media gateway", { failure, onFailure });
    if (onFailure === "pass") return true;
    context.respond(488, {
      reason: "Not Acceptable Here (media gateway)",
      why: failure,
      edit: (response) => void response.append("Warning", WARNING),
    });
    return false;
  }

  /** An ACK carries the answer to an offer in a 2xx (RFC 3261 §13.2.1), and nothing is said back. */
  acknowledges(ack: SipMessage, send: () => void): void {
    const { media, from, defect } = this.#parts;
    const found = descriptionIn(ack);
    if (found === undefined) return send();
    media.openOffers.take(this.#session.key);
    this.#converted(ack, found, "answer", from).then(send).catch(defect);
  }

  /** The same fork, its responses converted. */
  around(context: RequestContext, options: ForkOptions): ForkOptions {
    return {
      ...options,
      onResponse: (response, fork, local) => {
        const verdict = options.onResponse?.(response, fork, local);
        if (verdict === "absorb" || local || response.status >= 300) return verdict;
        return this.#responded(context, response);
      },
    };
  }

  #responded(context: RequestContext, response: SipMessage): "absorb" | "forward" {
    const { request, media, from, defect } = this.#parts;
    const begins = request.method === "INVITE" && request.toTag === "";
    if (begins && from === "ue" && response.status >= 200) media.begun(this.#session, response.toTag);
    const found = this.#passes ? undefined : descriptionIn(response);
    if (found === undefined && this.#last === undefined) return "forward";
    const mine = (this.#last ?? Promise.resolve())
      .then(() => (found === undefined ? undefined : this.#convertResponse(response, found)))
      .catch(defect)
      .then(() => {
        context.relay(response);
        if (this.#last === mine) this.#last = undefined;
      })
      .catch(defect);
    this.#last = mine;
    return "absorb";
  }

  async #convertResponse(response: SipMessage, found: DescriptionInBody): Promise<void> {
    const { from, media } = this.#parts;
    const other: Side = from === "ue" ? "core" : "ue";
    if (this.#hadDescription) await this.#converted(response, found, "answer", other);
    else {
      media.openOffers.set(this.#session.key, true);
      await this.#converted(response, found, "offer", other);
    }
  }

  /** Undefined when it was converted, else why not. `by`: on which side is who has written it. */
  async #converted(
    message: SipMessage,
    found: DescriptionInBody,
    command: "offer" | "answer",
    by: Side,
  ): Promise<string | undefined> {
    const { kind, spare, request } = this.#parts;
    const other: MediaKind = kind === "webrtc" ? "rtp" : "webrtc";
    const leavesAs = by === "ue" ? other : kind;
    // Another gateway can only begin what has not begun yet.
    const begins = command === "offer" && request.toTag === "" && message.isRequest;
    let why = UNREACHABLE;
    for (const session of begins ? [this.#session, ...spare] : [this.#session]) {
      const outcome = await this.#ask(session, found.sdp, command, by, leavesAs);
      const sdp = outcome?.kind === "answered" ? outcome.answer.get("sdp") : undefined;
      if (typeof sdp === "string" && sdp.startsWith("v=")) {
        this.#session = session;
        this.#established = true;
        replaceDescription(message, found, leavesAs === "rtp" ? withoutWebRtc(sdp) : sdp);
        return undefined;
      }
      // It may take it up later.
      if (outcome?.kind === "silent" && begins) void session.gateway?.release(session.key);
      if (outcome?.kind === "refused") why = outcome.reason;
      else if (outcome?.kind === "answered") why = "an answer without a session description";
    }
    return why;
  }

  #release(): void {
    if (this.#established) void this.#session.gateway?.release(this.#session.key);
    this.#established = false;
  }

  async #ask(
    { gateway, key }: MediaSession,
    sdp: string,
    command: "offer" | "answer",
    by: Side,
    leavesAs: MediaKind,
  ): Promise<NgOutcome | undefined> {
    if (gateway?.up !== true) return undefined;
    const { interfaces, codecs } = this.#parts.media.settings;
    const other: Side = by === "ue" ? "core" : "ue";
    const offerer = command === "offer" ? by : other;
    return gateway.request(command, {
      "call-id": key,
      "from-tag": offerer,
      "to-tag": offerer === "ue" ? "core" : "ue",
      sdp,
      ...profileOf(command, leavesAs),
      ...(interfaces === undefined ? {} : { direction: [interfaces[by], interfaces[other]] }),
      ...(codecs.length === 0 || command === "answer" ? {} : { codec: { transcode: codecs } }),
    });
  }
}
