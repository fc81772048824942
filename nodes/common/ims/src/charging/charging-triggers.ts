import type {
  ChargedServers,
  ChargingEvent,
  ChargingEventKind,
  ChargingNode,
  ChargingRole,
} from "./charging-event.ts";
import { eventId } from "./event-id.ts";
import { parsePChargingVector } from "./p-charging-vector.ts";

/** Header fields that a charging event is made from. */
type ChargedHeader =
  | "P-Charging-Vector"
  | "P-Asserted-Identity"
  | "P-Called-Party-ID"
  | "P-Access-Network-Info"
  | "P-Visited-Network-ID"
  | "Reason"
  | "From"
  | "Event"
  | "Expires"
  | "Session-Expires"
  | "Content-Type";

/** What is read of a SIP message. */
export interface ChargedMessage {
  readonly method: string;
  readonly requestUri: string;
  readonly status: number;
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly cseqNumber: number;
  readonly body: string;
  header(name: ChargedHeader): string | undefined;
  values(name: ChargedHeader): readonly string[];
}

export interface ChargingTriggersOptions {
  readonly node: ChargingNode;
  readonly nodeAddress: string;
  /** Methods that are charged; a session is what its INVITE is. */
  readonly methods: readonly string[];
  /** ms since the epoch. */
  readonly now: () => number;
  readonly emit: (event: ChargingEvent) => void;
  /** It does not stay in dialogs, so it has no sessions to tell of; default: it has. */
  readonly eventsOnly?: boolean;
}

/** A request that is charged by its answer. */
export interface ChargedRequest {
  /** Every response on its way upstream. */
  sees(response: ChargedMessage): void;
  /** Charging collection functions of the served user, once they are known. */
  collectAt(ccf: readonly string[] | undefined): void;
  /** A Cx query of the I-CSCF is completed: of an INVITE that is an event by itself, the first time. */
  queried(servers: ChargedServers): void;
}

const MAX_TEXT = 512;
const MAX_VALUES = 8;
const MAX_SDP = 8_192;

/**
 * When offline charging is told, and what: TS 32.260 Table 5.2.2.1. Nothing is kept between messages: whoever collects the
 * events finds their session by Call-ID and tags.
 */
export class ChargingTriggers {
  readonly #options: ChargingTriggersOptions;
  readonly #methods: ReadonlySet<string>;

  constructor(options: ChargingTriggersOptions) {
    this.#options = options;
    this.#methods = new Set(options.methods);
  }

  /** A request outside a dialog that goes on; undefined when it is not charged. */
  initial(request: ChargedMessage, role: ChargingRole): ChargedRequest | undefined {
    if (!this.#methods.has(request.method)) return undefined;
    const begun = this.#options.now();
    const isInvite = request.method === "INVITE";
    let ccf: readonly string[] | undefined;
    let servers: ChargedServers | undefined;
    return {
      collectAt: (addresses) => {
        ccf = addresses;
      },
      queried: (found) => {
        const isFirst = servers === undefined;
        servers = bounded(found);
        if (isInvite && isFirst) this.#emit("event", request, undefined, begun, { role, ccf, servers });
      },
      sees: (response) => {
        const { status } = response;
        // A challenge asks for the request again: nothing has succeeded or failed yet.
        if (status < 200 || status === 401 || status === 407) return;
        const kind = isInvite && status < 300 ? "start" : "event";
        if (kind === "start" && this.#options.eventsOnly === true) return;
        this.#emit(
          kind,
          request,
          response,
          begun,
          servers === undefined ? { role, ccf } : { role, ccf, servers },
        );
      },
    };
  }

  /**
   * A request inside a dialog that goes on. BYE ends the session whatever its answer is; the others count by their answer.
   * `servedTag`: the tag of the party that this entity serves.
   */
  inDialog(request: ChargedMessage, servedTag?: string): ChargedRequest | undefined {
    const { method } = request;
    const isSession = method === "INVITE" || method === "UPDATE" || method === "BYE";
    if (!this.#methods.has(isSession ? "INVITE" : method)) return undefined;
    const begun = this.#options.now();
    const extra = servedTag === undefined ? {} : { servedTag };
    if (method === "BYE") {
      this.#emit("stop", request, undefined, begun, extra);
      return undefined;
    }
    return {
      collectAt: () => undefined,
      queried: () => undefined,
      sees: (response) => {
        if (response.status < 200 || response.status === 401 || response.status === 407) return;
        if (!isSession) this.#emit("event", request, response, begun, extra);
        else if (response.status < 300) this.#emit("interim", request, response, begun, extra);
      },
    };
  }

  #emit(
    kind: ChargingEventKind,
    request: ChargedMessage,
    response: ChargedMessage | undefined,
    begun: number,
    extra: Partial<ChargingEvent>,
  ): void {
    const { node, nodeAddress, now, emit } = this.#options;
    const time = kind === "stop" ? begun : now();
    const { method, callId, fromTag, cseqNumber } = request;
    const toTag = response?.toTag ?? request.toTag;
    // The end of a query and the failure after it are two events of one transaction.
    const isQuery = kind === "event" && response === undefined;
    const whose = `${isQuery ? "Cx " : ""}${extra.role ?? extra.servedTag ?? ""}`;
    emit({
      id: eventId(node, kind, whose, callId, fromTag, toTag, `${cseqNumber} ${method}`),
      kind,
      time,
      node,
      nodeAddress,
      callId: clip(callId),
      fromTag: clip(fromTag),
      toTag: clip(toTag),
      method,
      requestTime: begun,
      callingParty: uris(request, "P-Asserted-Identity"),
      calledParty: clip(request.requestUri),
      ...described(request, response, time),
      ...extra,
    });
  }
}

function described(
  request: ChargedMessage,
  response: ChargedMessage | undefined,
  time: number,
): Partial<ChargingEvent> {
  const more: { -readonly [K in keyof ChargingEvent]?: ChargingEvent[K] } = {};
  const vector = parsePChargingVector(request.header("P-Charging-Vector") ?? "");
  const answered = parsePChargingVector(response?.header("P-Charging-Vector") ?? "");
  const { icid, icidGeneratedAt, origIoi } = vector ?? answered ?? {};
  more.icid = icid === undefined ? undefined : clip(icid);
  more.icidGeneratedAt = icidGeneratedAt === undefined ? undefined : clip(icidGeneratedAt);
  more.origIoi = origIoi === undefined ? undefined : clip(origIoi);
  const termIoi = answered?.termIoi ?? vector?.termIoi;
  more.termIoi = termIoi === undefined ? undefined : clip(termIoi);
  more.requestedParty = uris(request, "P-Called-Party-ID")[0];
  more.from = uriOf(request.header("From") ?? "");
  more.accessNetworkInfo = texts(request, "P-Access-Network-Info");
  more.visitedNetwork = texts(request, "P-Visited-Network-ID")?.[0];
  more.reason = texts(request, "Reason") ?? (response && texts(response, "Reason"));
  const event = request.header("Event");
  if (event !== undefined) more.event = clip(event);
  more.expires = seconds(response?.header("Expires") ?? request.header("Expires"));
  more.contentType = texts(request, "Content-Type")?.[0];
  if (more.contentType !== undefined) more.contentLength = request.body.length;
  more.offer = sdpOf(request);
  if (response === undefined) return more;
  more.status = response.status;
  more.responseTime = time;
  more.sessionExpires = seconds(response.header("Session-Expires"));
  const asserted = uris(response, "P-Asserted-Identity");
  if (asserted.length > 0) more.calledAsserted = asserted;
  more.answer = sdpOf(response);
  return more;
}

function bounded({ mandatory, optional, serverNames }: ChargedServers): ChargedServers {
  return {
    ...(mandatory === undefined ? {} : { mandatory: mandatory.slice(0, MAX_VALUES) }),
    ...(optional === undefined ? {} : { optional: optional.slice(0, MAX_VALUES) }),
    ...(serverNames === undefined ? {} : { serverNames: serverNames.slice(0, MAX_VALUES).map(clip) }),
  };
}

function clip(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}

function texts(message: ChargedMessage, name: ChargedHeader): readonly string[] | undefined {
  const values = message.values(name);
  return values.length === 0 ? undefined : values.slice(0, MAX_VALUES).map(clip);
}

function uris(message: ChargedMessage, name: ChargedHeader): readonly string[] {
  return message.values(name).slice(0, MAX_VALUES).map(uriOf);
}

/** The URI of a name-addr, or the text when it is none. */
function uriOf(value: string): string {
  const open = value.lastIndexOf("<");
  const close = value.indexOf(">", open);
  return clip(open >= 0 && close > open ? value.slice(open + 1, close) : (value.split(";")[0] ?? "").trim());
}

/** The leading number of a header value. */
function seconds(value: string | undefined): number | undefined {
  const [digits] = /^\s*[0-9]{1,9}/.exec(value ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function sdpOf(message: ChargedMessage): string | undefined {
  const type = message.header("Content-Type");
  if (type === undefined || !/^\s*application\/sdp\b/i.test(type)) return undefined;
  return message.body.slice(0, MAX_SDP);
}
