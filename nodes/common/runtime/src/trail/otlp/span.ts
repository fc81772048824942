import { createHash } from "node:crypto";

/** One side's part of a transaction: an OpenTelemetry span. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** "": it begins its trace, as far as is known. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: "server" | "client";
  /** ms since the epoch, with fractions. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** The same trace at every node: messages of one call carry the same Call-ID. */
export function traceIdOf(callId: string): string {
  return createHash("sha256").update(callId).digest("hex").slice(0, 32);
}

/** Both ends of a hop know its branch: what the sender's span is called, the receiver's can name as its parent. */
export function spanIdOf(kind: Span["kind"], transaction: string): string {
  return createHash("sha256").update(`${kind} ${transaction}`).digest("hex").slice(0, 16);
}

/** W3C and OTLP values of SpanKind. */
const KINDS = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/** A request to an OTLP/HTTP collector (JSON encoding of opentelemetry-proto, ExportTraceServiceRequest). */
export function otlpRequest(
  resource: Readonly<Record<string, string | number>>,
  version: string,
  spans: readonly Span[],
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: "tidewater", version }, spans: spans.map(otlpSpan) }],
      },
    ],
  };
}

function otlpSpan({
  traceId,
  spanId,
  parentSpanId,
  name,
  kind,
  start,
  end,
  failed,
  attributes,
}: Span): object {
  return {
    ...{ traceId, spanId, ...(parentSpanId === "" ? {} : { parentSpanId }), name, kind: KINDS[kind] },
    ...{ startTimeUnixNano: nanoseconds(start), endTimeUnixNano: nanoseconds(end) },
    attributes: attributesOf(attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  };
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}

/** 64-bit numbers are decimal strings in the JSON encoding. */
function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1000)) * 1000n}`;
}
