import { setTimeout as sleep } from "node:timers/promises";
import { MemberError } from "./member-file.ts";

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
export function seedUrl(address: string): string {
  return `http://${address.includes(":") ? `[${address}]` : address}:2379`;
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

/** Undefined when etcd at `url` is well; else why not, in a few words. */
export async function probeEtcd(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) });
    const text = (await response.text()).slice(0, 200);
    // 3.4 answers 503 with {"health":"false"} without a leader.
    if (response.ok && /"health":\s*"true"/.test(text)) return undefined;
    return response.ok || response.status === 503 ? "no quorum" : `HTTP ${response.status}`;
  } catch (error) {
    return causeOf(error);
  }
}

/** ECONNREFUSED and the like, from what fetch wraps. */
export function causeOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? (name === "TimeoutError" ? "no answer" : message);
}
