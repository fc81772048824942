import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ServiceModules } from "@ims/runtime";
import { EmbeddedRepository } from "./hss/embedded-repository.ts";
import { sealingWithKeyFile } from "./hss/sealing.ts";
import { SqliteTables } from "./hss/sqlite-tables.ts";
import type { SubscriberRepository } from "./hss/subscriber-repository.ts";
import type { HomesteadOptions } from "./options.ts";

/** The subscriber store that the options ask for. Throws HomesteadError or StoreError when it cannot be used. */
export async function openSubscribers(
  options: HomesteadOptions,
  modules: ServiceModules,
): Promise<SubscriberRepository> {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const sealing = sealingWithKeyFile(options.subscriberKeyFile || join(options.stateDir, "subscribers.key"));
  const tables = new SqliteTables(join(options.stateDir, "subscribers.db"), sealing);
  const embedded = new EmbeddedRepository(tables, { cacheSize: options.cacheSize }, modules);
  modules.register.gauge({
    name: "ims_homestead_subscribers",
    help: "Subscribers provisioned",
    value: () => embedded.size,
  });
  return embedded;
}
