import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** What a webhook asks for. */
export interface Wish {
  readonly pool: string;
  readonly direction: "out" | "in";
  readonly from: string;
}

export interface WebhookRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface WebhookAnswer {
  readonly status: 202 | 400 | 401 | 404 | 405;
  readonly problem?: string;
  readonly wishes: readonly Wish[];
}

/**
 * Alertmanager's webhook, version 4. The labels are those of Tacker's auto-scaling (function_type, auto_scale_type,
 * aspect_id), so that one set of alert rules serves both; aspect_id is the pool.
 */
const alertmanager = z.object({
  version: z.literal("4"),
  alerts: z
    .array(
      z.object({
        status: z.enum(["firing", "resolved"]),
        labels: z.record(z.string(), z.string()),
      }),
    )
    .max(1_000),
});

/** Aodh's REST notifier. */
const aodh = z.object({ alarm_name: z.string(), current: z.string() });

/** Alertmanager sends the secret as bearer token; Aodh can send no header, so its URL is signed. */
export function answerWebhook(request: WebhookRequest, secret: string, vnf: string): WebhookAnswer {
  const refuse = (status: WebhookAnswer["status"], problem: string): WebhookAnswer => ({
    status,
    problem,
    wishes: [],
  });
  // "//" is a request target (RFC 9112 §3.2.1) and no URL.
  if (!URL.canParse(request.url, "http://scaler")) return refuse(400, "the request target is no URL");
  const url = new URL(request.url, "http://scaler");
  const path = url.pathname;
  const [, pool, direction] = /^\/aodh\/([a-z][a-z0-9-]{0,30})\/(out|in)$/.exec(path) ?? [];
  const isAodh = pool !== undefined && (direction === "out" || direction === "in");
  if (!isAodh && path !== "/alertmanager") return refuse(404, "POST /alertmanager or /aodh/<pool>/out|in");
  if (request.method !== "POST") return refuse(405, "POST is expected");
  const allowed = isAodh
    ? equal(url.searchParams.get("signature") ?? "", signatureOf(path, secret))
    : equal(request.authorization ?? "", `Bearer ${secret}`);
  if (!allowed)
    return refuse(401, isAodh ? "the signature is missing or wrong" : "the bearer token is missing or wrong");
  const document = jsonOf(request.body);
  if (isAodh) {
    const parsed = aodh.safeParse(document);
    if (!parsed.success) return refuse(400, "not a notification of Aodh");
    const { alarm_name, current } = parsed.data;
    return {
      status: 202,
      wishes: current === "alarm" ? [{ pool, direction, from: `aodh ${alarm_name}` }] : [],
    };
  }
  const parsed = alertmanager.safeParse(document);
  if (!parsed.success) return refuse(400, "not a notification of Alertmanager, version 4");
  const wishes = parsed.data.alerts.flatMap(({ status, labels }) => {
    const label = new Map(Object.entries(labels));
    const ours = (label.get("vnf") ?? vnf) === vnf && label.get("function_type") === "auto_scale";
    const type = label.get("auto_scale_type");
    const aspect = label.get("aspect_id");
    if (status !== "firing" || !ours || aspect === undefined) return [];
    if (type !== "SCALE_OUT" && type !== "SCALE_IN") return [];
    const from = `alertmanager ${label.get("alertname") ?? ""}`.trim();
    return [{ pool: aspect, direction: type === "SCALE_OUT" ? ("out" as const) : ("in" as const), from }];
  });
  return { status: 202, wishes };
}

/** HMAC-SHA-256 of the path, in hexadecimal digits. */
export function signatureOf(path: string, secret: string): string {
  return createHmac("sha256", secret).update(path).digest("hex");
}

function equal(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
