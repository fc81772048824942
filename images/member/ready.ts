import { existsSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MemberError } from "./member-file.ts";
import { causeOf, type Waiting } from "./seeds.ts";

const CLUSTER = {
  missing: "etcd-cluster has not written",
  remedy: "see 'journalctl -u tidewater-cluster'; memcached needs two vellums",
};

/** Resolves when all files are there; says for which ones it waits. @throws MemberError */
export async function waitForFiles(
  files: readonly { readonly path: string; readonly what: string }[],
  { say, deadline, everyMs = 500, remindMs = 30_000 }: Waiting,
  words: { readonly missing: string; readonly remedy: string } = CLUSTER,
): Promise<void> {
  let spoke = performance.now();
  for (;;) {
    const missing = files.filter(({ path }) => !existsSync(path)).map(({ what }) => what);
    if (missing.length === 0) return;
    const state = missing.join(", ");
    if (performance.now() > deadline) throw new MemberError(`${words.missing} ${state}`, words.remedy);
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for ${state}`);
    }
    await sleep(everyMs);
  }
}

/** Resolves when `url` answers 200; says what it answers instead. @throws MemberError */
export async function waitForReady(
  url: string,
  unit: string,
  { say, deadline, everyMs = 500, remindMs = 30_000 }: Waiting,
): Promise<void> {
  let spoke = performance.now();
  for (;;) {
    const problem = await readiness(url);
    if (problem === undefined) return;
    if (performance.now() > deadline)
      throw new MemberError(
        `${unit} is not ready: ${problem}`,
        `see 'journalctl -u ${unit}' and 'systemctl status ${unit}'`,
      );
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for ${unit}: ${problem}`);
    }
    await sleep(everyMs);
  }
}

async function readiness(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const text = await response.text();
    return response.ok ? undefined : text.trim().split("\n").join("; ").slice(0, 300);
  } catch (error) {
    return causeOf(error);
  }
}

/** Resolves when something listens there. @throws MemberError */
export async function waitForPort(
  host: string,
  port: number,
  unit: string,
  { say, deadline, everyMs = 1000, remindMs = 30_000 }: Waiting,
): Promise<void> {
  let spoke = performance.now();
  while (!(await listens(host, port))) {
    if (performance.now() > deadline)
      throw new MemberError(`${unit} does not open port ${port}`, `see 'journalctl -u ${unit}'`);
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for ${unit} to open port ${port}`);
    }
    await sleep(everyMs);
  }
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    for (const event of ["error", "timeout"]) socket.once(event, () => end(false));
  });
}
