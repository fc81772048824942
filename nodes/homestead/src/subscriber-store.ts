import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CoreTls, ServiceModules } from "@ims/runtime";
import { HomesteadError } from "./errors.ts";
import { EmbeddedRepository } from "./hss/embedded-repository.ts";
import { holdsExamples } from "./hss/examples.ts";
import { type Sealing, sealingWithKeyFile } from "./hss/sealing.ts";
import { SqliteTables } from "./hss/sqlite-tables.ts";
import type { SubscriberRepository } from "./hss/subscriber-repository.ts";
import { exposedAddress } from "./loopback.ts";
import type { HomesteadOptions } from "./options.ts";
import { openPooledSubscribers } from "./pooled-subscribers.ts";

/** The subscriber store that the options ask for. Throws what the drivers throw for one that cannot be used. */
export async function openSubscribers(
  options: HomesteadOptions,
  modules: ServiceModules & { readonly coreTls?: CoreTls | undefined },
): Promise<SubscriberRepository> {
  const exposed = exposedAddress(options);
  if (options.seedExamples && exposed !== undefined) throw examplesExposed(exposed);
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const file = options.subscriberKeyFile || join(options.stateDir, "subscribers.key");
  const sealing = sealingWithKeyFile(file);
  // The examples have a public password: nobody but this machine may use them.
  const acceptable = async (subscribers: SubscriberRepository): Promise<"proven" | "unavailable"> => {
    if (exposed === undefined) return "proven";
    const holds = await holdsExamples(subscribers, options.homeDomain);
    if (holds === true) throw examplesExposed(exposed);
    return holds === false ? "proven" : holds;
  };
  if (options.cassandra.length > 0)
    return openPooledSubscribers(options, modules, { sealing, file }, acceptable);
  return openEmbedded(options, modules, sealing, acceptable);
}

async function openEmbedded(
  options: HomesteadOptions,
  modules: ServiceModules,
  sealing: Sealing,
  acceptable: (subscribers: SubscriberRepository) => Promise<unknown>,
): Promise<SubscriberRepository> {
  const tables = new SqliteTables(join(options.stateDir, "subscribers.db"), sealing);
  const embedded = new EmbeddedRepository(tables, { cacheSize: options.cacheSize }, modules);
  try {
    await acceptable(embedded);
  } catch (error) {
    await embedded.close();
    throw error;
  }
  modules.register.gauge({
    name: "ims_homestead_subscribers",
    help: "Subscribers provisioned",
    value: () => embedded.size,
  });
  return embedded;
}

function examplesExposed(address: string): HomesteadError {
  return new HomesteadError(
    { code: "EXAMPLES_BEYOND_LOOPBACK", address },
    {
      message: `the example subscribers have a public password and ${address} is not loopback: delete them (tidewater subscriber delete 6505550000@example.com, and 6505550001) or use another --state-dir`,
    },
  );
}
