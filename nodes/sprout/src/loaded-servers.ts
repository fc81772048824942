import { createSecretKey, randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createHost, loadApplicationServer, type ServerHost, ServiceUris } from "@ims/application-server";
import type { ServiceModules } from "@ims/runtime";
import { parseUri } from "@ims/sip";
import { SproutError } from "./errors.ts";
import type { HostedServerParts, ReachedServer } from "./hosted-servers.ts";
import { readServerSettings } from "./server-settings.ts";

export interface LoadedServerParts extends HostedServerParts {
  readonly ours: readonly ReachedServer[];
  /** Takes what a server throws where nobody waits for it. */
  readonly onFailure: (server: string, error: unknown) => void;
}

/** For reading a module, and for making its server. */
const LOADING_MS = 10_000;

/** The application servers of others, by the order of the option. Throws SproutError and ApplicationServerError. */
export async function loadedServers(
  parts: LoadedServerParts,
  modules: ServiceModules,
): Promise<readonly ReachedServer[]> {
  const { options, ours, onFailure } = parts;
  const { applicationServers: files, homeDomain, scscfPort: port } = options;
  const settings = readServerSettings(options.applicationServerSettingsFile);
  const key = createSecretKey(options.gruuKey === "" ? randomBytes(16) : Buffer.from(options.gruuKey, "hex"));
  const found: ReachedServer[] = [];
  for (const file of files) {
    const hostOf = (name: string): ServerHost => {
      const own = new ServiceUris(name, { homeDomain, port });
      const uri = parseUri(own.uri);
      const taken = [...ours, ...found].find(
        (other) => other.name === name || (uri !== undefined && other.own.has(uri)),
      );
      if (taken !== undefined) throw new Error(`the name ${name} is that of another server, ${taken.uri}`);
      return createHost({
        ...modules,
        name,
        uri: own.uri,
        homeDomain,
        settings: settings.get(name) ?? {},
        side: parts.side,
        store: parts.store,
        key,
        originate: (request, destination, handler) => {
          if (!parts.isServing()) throw new Error("nothing can be sent before sprout serves");
          return parts.originate(request, destination, handler);
        },
        onFailure: (error) => onFailure(name, error),
      });
    };
    const loaded = await loadApplicationServer(
      { file, timeoutMs: LOADING_MS },
      { clock: modules.clock, hostOf },
    );
    const { name, host, server } = loaded;
    // Stacks have the file that a link leads to.
    modules.strayErrors?.claim(dirname(realpathSync(file)), (error) => onFailure(name, error));
    modules.log.info({ server: name, uri: host.uri, file: resolve(file) }, "application server loaded");
    found.push({
      ...{ name, server, uri: host.uri, own: new ServiceUris(name, { homeDomain, port }) },
      timeoutMs: options.applicationServerTimeoutMs,
    });
  }
  const strange = [...settings.keys()].find((name) => !found.some((one) => one.name === name));
  if (strange !== undefined)
    throw new SproutError({
      code: "SPROUT_SERVER_SETTINGS",
      file: options.applicationServerSettingsFile,
      problem: `has settings for ${strange}, which no module of --application-servers is`,
    });
  return found;
}
