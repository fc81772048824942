import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  EtcdClient,
  type EtcdClientOptions,
  type MemberRecord,
  parseEndpoints,
  Registration,
} from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { type EtcdCluster, etcdMissing, startEtcdCluster } from "../../support/etcd.ts";

export const skip = etcdMissing() ?? false;

export async function cluster(t: TestContext, size = 3): Promise<EtcdCluster> {
  const started = await startEtcdCluster(size);
  t.after(() => started.stop());
  return started;
}

export function clientOf(
  t: TestContext,
  endpoints: string,
  options: Partial<EtcdClientOptions> = {},
): EtcdClient {
  const client = new EtcdClient({ endpoints: parseEndpoints(endpoints), clock: systemClock(), ...options });
  t.after(() => client.close());
  return client;
}

/** Waits for what a test expects; says what it was when it does not come. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  for (const end = Date.now() + ms; !(await condition()); await pause(25))
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "etcd-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function read(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** A member in the registry, under a lease of two seconds. */
export async function register(
  t: TestContext,
  client: EtcdClient,
  member: MemberRecord,
): Promise<Registration> {
  const clock = systemClock();
  const log = memoryLogger();
  const registration = new Registration({ client, clock, log, root: "/site", member, ttlSeconds: 2 });
  await registration.start();
  t.after(() => registration.stop());
  return registration;
}
