import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { ProvisioningClient } from "@ims/api";
import {
  HttpAdmission,
  openPools,
  runtimeProblems,
  type Service,
  type ServiceModules,
  watchCertificate,
  watchFile,
} from "@ims/runtime";
import { CallLists } from "./call-list/call-lists.ts";
import { ChangeNotifier } from "./call-list/change-notifier.ts";
import { HomerError } from "./errors.ts";
import { apiKeyReader } from "./http/api-key.ts";
import { requesterOf } from "./http/authentication.ts";
import { Guesses } from "./http/guesses.ts";
import { Nonces } from "./http/nonces.ts";
import { xcapServer } from "./http/xcap-server.ts";
import { getMetrics } from "./metrics.ts";
import type { HomerOptions } from "./options.ts";
import { Owners } from "./owners.ts";
import { addressesIn } from "./peers.ts";
import { homerProblems } from "./problems.ts";
import { openRepository } from "./store/open-repository.ts";
import { judged } from "./xcap/application-usages.ts";
import { Documents } from "./xcap/documents.ts";

/** Whoever waits for a call to be set up has given up by then. */
const HOMESTEAD_MS = 2_000;

/** Shorter ones could be guessed. */
const LEAST_API_KEY = 16;

/** Composition root of homer: the XDMS of simservs documents (TS 24.623), XCAP on Ut and in the core. Throws HomerError. */
export async function createHomer(options: HomerOptions, modules: ServiceModules): Promise<Service> {
  const { clock, log, register, health } = modules;
  const { homeDomain } = options;
  if (options.homestead === "" && options.authenticationProxies.length === 0)
    log.warn(
      { problemId: homerProblems.utUnusable.id },
      "nobody can use Ut: give --homestead or --authentication-proxies",
    );
  if ((options.tlsCertificate === "") !== (options.tlsKey === ""))
    throw new HomerError(
      { code: "HOMER_AUTHENTICATION", problem: "--tls-certificate and --tls-key go together" },
      { message: "--tls-certificate and --tls-key go together" },
    );
  const isCorePeer = addressesIn("--core-peers", [...["127.0.0.0/8", "::1"], ...options.corePeers]);
  const isProxy = addressesIn("--authentication-proxies", options.authenticationProxies);
  const tls =
    options.tlsCertificate === ""
      ? undefined
      : {
          cert: fileOf("--tls-certificate", options.tlsCertificate),
          key: fileOf("--tls-key", options.tlsKey),
        };
  const apiKey = apiKeyOf(options.callListApiKeyFile);
  const hasApiKey = apiKey === undefined ? () => false : apiKeyReader(apiKey);
  const defaultDocument = defaultDocumentOf(options.defaultDocumentFile);
  const homestead =
    options.homestead === ""
      ? undefined
      : new ProvisioningClient(options.homestead, tokenOf(options), HOMESTEAD_MS);
  const { repository, callLists: fragments, stop } = await openRepository(options, modules);
  const pools = options.poolsFile === "" ? undefined : openPools(options.poolsFile, { clock, log });
  const corePools = options.corePools.length > 0 ? options.corePools : [`sprout.${homeDomain}`];

  const owners = new Owners(homestead, clock);
  const counters = getMetrics(register);
  const notifier =
    options.callListNotifyUrl === ""
      ? undefined
      : new ChangeNotifier(options.callListNotifyUrl, { counters, log });
  const callLists =
    fragments &&
    new CallLists({
      ...{ repository: fragments, owners, counters, length: options.callListLength },
      changed: (impu) => notifier?.changed(impu),
    });
  const shared = {
    documents: new Documents(repository, defaultDocument),
    ...{ owners, callLists, counters, log },
  };
  const authentication = {
    realm: options.digestRealm || homeDomain,
    isProxy,
    homestead,
    nonces: new Nonces(
      options.nonceKey === "" ? randomBytes(16) : Buffer.from(options.nonceKey, "hex"),
      clock,
    ),
    guesses: new Guesses(clock),
  };
  const admission = new HttpAdmission({
    ...{ clock, log, register, metricsPrefix: "ims_homer" },
    targetMs: options.httpOverloadTargetMs,
    floor: options.httpOverloadFloor,
    connectionsEach: options.httpClientConnections,
  });
  /** Why nobody could be authenticated the last time. */
  let unproven: string | undefined;
  const ut = xcapServer(
    { host: options.host, port: options.utPort, point: "ut", tls, admission },
    {
      ...shared,
      requester: async ({ method, raw, ip, headers }) => {
        if (hasApiKey({ method, target: raw.url ?? "", key: headers["ngv-api-key"]?.toString() }))
          return "trusted";
        const requester = await requesterOf(
          {
            method,
            target: raw.url ?? "",
            address: ip,
            authorization: headers.authorization,
            assertedIdentity: headers["x-3gpp-asserted-identity"]?.toString(),
          },
          authentication,
        );
        if (requester.kind === "unavailable") unproven = requester.problem;
        else if (requester.kind === "user") unproven = undefined;
        return requester;
      },
    },
  );
  const core = xcapServer(
    { host: options.coreHost, port: options.corePort, point: "core", admission },
    {
      ...shared,
      requester: async ({ ip, headers }) => {
        const isPeer = isCorePeer(ip) || corePools.some((pool) => pools?.isMember(ip, pool) === true);
        // Pages in a browser on this machine are kept out: they send Origin.
        return isPeer && headers.origin === undefined
          ? "trusted"
          : { kind: "forbidden", problem: "this port is for --core-peers and this machine only" };
      },
    },
  );
  health.addNote("homestead", () => unproven ?? owners.problem, homerProblems.homesteadAway);
  const { alarms } = health;
  watchFile(alarms, options.poolsFile, pools, runtimeProblems.poolsFileRefused);
  alarms.watch(homerProblems.changesUntold, () => notifier?.problem);
  if (tls !== undefined) watchCertificate({ file: options.tlsCertificate, pem: tls.cert }, { alarms, clock });

  return {
    async start() {
      admission.start();
      await core.start();
      await ut.start();
    },
    async quiesce() {},
    async stop() {
      admission.stop();
      await ut.stop();
      await core.stop();
      pools?.stop();
      await stop();
    },
    ports: () => ({ ut: ut.port, core: core.port }),
  };
}

function fileOf(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HomerError({ code: "HOMER_FILE", option, file, problem: "cannot be read" }, { cause });
  }
}

function tokenOf({ homesteadTokenFile: file }: HomerOptions): string | undefined {
  return file === "" ? undefined : fileOf("--homestead-token-file", file).trim();
}

function apiKeyOf(file: string): string | undefined {
  if (file === "") return undefined;
  const option = "--call-list-api-key-file";
  const key = fileOf(option, file).trim();
  if (key.length >= LEAST_API_KEY) return key;
  const problem = `a key has ${LEAST_API_KEY} characters at least`;
  throw new HomerError({ code: "HOMER_FILE", option, file, problem });
}

function defaultDocumentOf(file: string): string | undefined {
  if (file === "") return undefined;
  const option = "--default-document-file";
  const document = fileOf(option, file);
  const judgement = judged(document);
  if (judgement.kind === "document") return document;
  throw new HomerError({ code: "HOMER_FILE", option, file, problem: judgement.conflict.phrase });
}
