import { readFileSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EtcdTls } from "@ims/etcd-cluster";
import type { Places } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";

export interface Waiting {
  /** Lines for the console. */
  readonly say: (line: string) => void;
  /** performance.now() by which it has to be there. */
  readonly deadline: number;
  readonly everyMs?: number;
  /** Between two lines of the same kind. */
  readonly remindMs?: number;
}

/** `http://address:2379`, with brackets where IPv6 wants them. */
export function seedUrl(address: string, secure = false, port = 2379): string {
  return `http${secure ? "s" : ""}://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Resolves when one of the seeds says that etcd has a leader. @throws MemberError that names each seed and why it does not answer. */
export async function waitForSeeds(
  seeds: readonly string[],
  probe: (seed: string) => Promise<string | undefined>,
  { say, deadline, everyMs = 1000, remindMs = 30_000 }: Waiting,
): Promise<void> {
  let spoke = Number.NEGATIVE_INFINITY;
  for (;;) {
    const answers = await Promise.all(seeds.map(async (seed) => ({ seed, problem: await probe(seed) })));
    if (answers.some(({ problem }) => problem === undefined)) return;
    const state = answers.map(({ seed, problem }) => `${seed}: ${problem}`).join("; ");
    if (performance.now() > deadline)
      throw new MemberError(
        `no seed answers (${state})`,
        "check 'seeds' in the user data, that the vellums run, and the security group of etcd (port 2379)",
      );
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for a seed with a working etcd: ${state}`);
    }
    await sleep(everyMs);
  }
}

/** Asks a seed as this machine may: with its certificate, where etcd speaks TLS. */
export function probeOf(
  { etcdTls }: Pick<Member, "etcdTls">,
  { tls: folder }: Places,
): (seed: string) => Promise<string | undefined> {
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  return (seed) => {
    const tls =
      etcdTls === "on" ? { ca: text("ca.pem"), cert: text("own.pem"), key: text("own.key") } : undefined;
    return probeEtcd(seedUrl(seed, tls !== undefined), tls);
  };
}

/** Undefined when etcd at `url` is well; else why not, in a few words. */
export async function probeEtcd(url: string, tls: EtcdTls | undefined): Promise<string | undefined> {
  try {
    const { status, text } = await get(`${url}/health`, tls);
    // 3.4 answers 503 with {"health":"false"} without a leader.
    if (status === 200 && /"health":\s*"true"/.test(text)) return undefined;
    return status === 200 || status === 503 ? "no quorum" : `HTTP ${status}`;
  } catch (error) {
    return causeOf(error);
  }
}

/** Not `fetch`, which takes no client certificate. */
function get(url: string, tls: EtcdTls | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { signal: AbortSignal.timeout(3000), agent: false } as const;
    const answered = (response: IncomingMessage): void => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text = (text + piece).slice(0, 200);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text })).on("error", reject);
    };
    const request =
      tls === undefined ? http.get(url, options, answered) : https.get(url, { ...options, ...tls }, answered);
    request.on("error", reject);
  });
}

/** ECONNREFUSED and the like, from what fetch wraps. */
export function causeOf(error: unknown): string {
  const { cause, code, name, message } = error as Error & { code?: unknown; cause?: { code?: string } };
  if (name === "TimeoutError" || code === "ABORT_ERR") return "no answer";
  return cause?.code ?? (typeof code === "string" ? code : message);
}
