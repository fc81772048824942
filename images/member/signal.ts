import { readFileSync } from "node:fs";
import { z } from "zod";
import { causeOf } from "./seeds.ts";

/** The attribute `signal` of OS::Heat::WaitConditionHandle: what is in it depends on the transport. */
const signalSchema = z.object({
  alarm_url: z.url({ protocol: /^https?$/ }),
  /** HEAT_SIGNAL: a user that may signal this handle. */
  auth_url: z.url({ protocol: /^https?$/ }).optional(),
  user_id: z.string().optional(),
  password: z.string().optional(),
  project_id: z.string().optional(),
});
export type ReadySignal = z.output<typeof signalSchema>;

export type ReadySignalFile =
  | { readonly kind: "signal"; readonly signal: ReadySignal }
  /** Nobody waits. */
  | { readonly kind: "none" }
  /** Never quotes the file: it may hold a token. */
  | { readonly kind: "invalid"; readonly problem: string };

export function readReadySignal(path: string): ReadySignalFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch {
    return { kind: "none" };
  }
  if (["", "null", "{}", "None"].includes(text)) return { kind: "none" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "invalid", problem: `${path} is not JSON` };
  }
  const parsed = signalSchema.safeParse(json);
  if (parsed.success) return { kind: "signal", signal: parsed.data };
  const issue = parsed.error.issues[0];
  return { kind: "invalid", problem: `${path}: ${issue?.path.join(".")}: ${issue?.message}` };
}

/** Tells Heat; undefined when it took it, else why not. Never throws; tries again for a minute. */
export async function sendSignal(
  signal: ReadySignal,
  what: { readonly status: "SUCCESS" | "FAILURE"; readonly reason: string; readonly id: string },
  { tries = 6, pauseMs = 10_000 }: { readonly tries?: number; readonly pauseMs?: number } = {},
): Promise<string | undefined> {
  let problem: string | undefined;
  for (let turn = 1; turn <= tries; turn++) {
    problem = await once(signal, JSON.stringify({ ...what, data: what.reason }));
    if (problem === undefined) return undefined;
    if (turn < tries) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return problem;
}

async function once(signal: ReadySignal, body: string): Promise<string | undefined> {
  try {
    const token = await tokenOf(signal);
    // A pre-signed URL is good for PUT only; the API of Heat itself takes POST.
    const response = await fetch(signal.alarm_url, {
      method: token === undefined ? "PUT" : "POST",
      body,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { "x-auth-token": token }),
      },
      signal: AbortSignal.timeout(15_000),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    return causeOf(error);
  }
}

async function tokenOf({
  auth_url,
  user_id,
  password,
  project_id,
}: ReadySignal): Promise<string | undefined> {
  if (auth_url === undefined || user_id === undefined) return undefined;
  const response = await fetch(`${auth_url.replace(/\/$/, "")}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: {
        identity: { methods: ["password"], password: { user: { id: user_id, password } } },
        scope: { project: { id: project_id } },
      },
    }),
    signal: AbortSignal.timeout(15_000),
  });
  await response.body?.cancel();
  const token = response.headers.get("x-subject-token");
  if (!response.ok || token === null) throw new Error(`Keystone answers HTTP ${response.status}`);
  return token;
}
