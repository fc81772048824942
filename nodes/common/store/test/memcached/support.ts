import type { TestContext } from "node:test";
import { systemClock } from "@ims/runtime";
import { type MemcachedStore, type MemcachedStoreOptions, memcachedStore, parseServers } from "@ims/store";
import {
  type MemcachedProcess,
  memcachedMissing,
  startMemcached,
} from "../../../../../test/support/memcached.ts";

/** For `{ skip }` of tests that need the real server: it can be installed, so CI refuses the skip. */
export const skip: string | false = memcachedMissing() ?? false;

export async function servers(t: TestContext, count: number): Promise<MemcachedProcess[]> {
  const started = await Promise.all(Array.from({ length: count }, () => startMemcached()));
  t.after(() => Promise.all(started.map((server) => server.kill())));
  return started;
}

export async function storeOn(
  t: TestContext,
  on: readonly { readonly id: string }[],
  options: Partial<MemcachedStoreOptions> = {},
): Promise<MemcachedStore> {
  const store = memcachedStore({
    servers: parseServers(on.map(({ id }) => id).join(",")),
    clock: systemClock(),
    ...options,
  });
  await store.start();
  t.after(() => store.stop());
  return store;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Waits until something holds; what is waited for has a bound of its own. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 5_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(10);
  }
}
