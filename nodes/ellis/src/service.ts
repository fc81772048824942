import { isIP } from "node:net";
import { join } from "node:path";
import { ProvisioningClient, SimservsDocuments } from "@ims/api";
import {
  HttpAdmission,
  isLoopback,
  parsePoolsFile,
  type Service,
  type ServiceModules,
  watchCertificate,
} from "@ims/runtime";
import { numbersOf } from "./accounts/account.ts";
import { Accounts } from "./accounts/accounts.ts";
import { Expiry } from "./accounts/expiry.ts";
import { Passwords } from "./accounts/password.ts";
import { sendRecoveryMail } from "./accounts/recovery-mail.ts";
import { Sessions } from "./accounts/session.ts";
import { AuditLog } from "./audit/audit-log.ts";
import { Strangers } from "./audit/strangers.ts";
import { CoreView } from "./core-view/core-view.ts";
import { EllisError } from "./errors.ts";
import { portalPages } from "./http/page-routes.ts";
import { rateLimits } from "./http/rate-limits.ts";
import { ellisServer } from "./http/server.ts";
import { getMetrics } from "./metrics.ts";
import { AddressBook } from "./numbers/address-book.ts";
import { NumberPool } from "./numbers/number-pool.ts";
import { type NumberRange, overlaps, parseRange } from "./numbers/number-range.ts";
import { Numbers } from "./numbers/numbers.ts";
import { Provisioning } from "./numbers/provisioning.ts";
import type { EllisOptions } from "./options.ts";
import { ellisProblems } from "./problems.ts";
import { contentOf, secretIn } from "./secrets.ts";
import { StaffAccounts } from "./staff/staff-accounts.ts";
import { UNAVAILABLE } from "./store/documents.ts";
import { makeStateDir, openStore } from "./store/open-store.ts";
import { turnServerOf } from "./turn-server.ts";

/** Whoever waits for a number has given up by then. */
const HOMESTEAD_MS = 5_000;
const HOUR_MS = 3_600_000;
const LEAST_CODE = 4;
const LEAST_KEY = 16;

/** Composition root of ellis: accounts and numbers for users, as Clearwater's Ellis gave them. Throws EllisError. */
export async function createEllis(options: EllisOptions, modules: ServiceModules): Promise<Service> {
  const { clock, log, register, health } = modules;
  const { homeDomain, stateDir } = options;
  if (options.homestead === "")
    throw wrongOption("--homestead", "is needed: the provisioning API, http://host:port");
  if ((options.tlsCertificate === "") !== (options.tlsKey === ""))
    throw wrongOption("--tls-certificate", "goes with --tls-key");
  const tls =
    options.tlsCertificate === ""
      ? undefined
      : {
          cert: contentOf("--tls-certificate", options.tlsCertificate),
          key: contentOf("--tls-key", options.tlsKey),
        };
  for (const each of options.trustedProxies)
    if (!isAddressOrNetwork(each))
      throw wrongOption("--trusted-proxies", `${each} is no address or network such as 10.0.0.0/8`);
  const ranges = configuredRanges(options);
  const token =
    options.homesteadTokenFile === ""
      ? undefined
      : contentOf("--homestead-token-file", options.homesteadTokenFile).trim();
  const turn = turnServerOf(options);
  makeStateDir(stateDir);
  const secret = (option: string, file: string, name: string, least: number): string =>
    secretIn(option, file || join(stateDir, name), least);
  const signupCode = secret("--signup-code-file", options.signupCodeFile, "ellis-signup-code", LEAST_CODE);
  const apiKey = secret("--api-key-file", options.apiKeyFile, "ellis-api-key", LEAST_KEY);
  const cookieKey = secret("--cookie-key-file", options.cookieKeyFile, "ellis-cookie-key", LEAST_KEY);

  const pages = portalPages();
  const phone = { servers: options.phoneServers, homeDomain };
  const { store, stop } = await openStore(options, modules);
  const accounts = new Accounts(store);
  const pool = new NumberPool(ranges, { store, clock }, async (owner, number) => {
    const account = await accounts.get(owner);
    if (account === undefined || account === UNAVAILABLE) return account === UNAVAILABLE;
    return numbersOf(account).some(({ uri }) => uri === `sip:${number}@${homeDomain}`);
  });
  const simservs = options.homer === "" ? undefined : new SimservsDocuments(options.homer);
  const homestead = new ProvisioningClient(options.homestead, token, HOMESTEAD_MS);
  const { applicationServer, numbersPerAccount } = options;
  const provisioning = new Provisioning({ homestead, simservs, applicationServer });
  const addressBook = new AddressBook(store);
  const numbers = new Numbers({
    ...{ accounts, pool, provisioning, addressBook, clock, log },
    ...{ homeDomain, numbersPerAccount },
  });
  const expiry = new Expiry({ accounts, numbers, clock, log });
  const { mailProgram: program, portalUrl } = options;
  const sender = options.mailSender || `ellis@${homeDomain}`;
  const admission = new HttpAdmission({
    ...{ clock, log, register, metricsPrefix: "ims_ellis" },
    targetMs: options.httpOverloadTargetMs,
    floor: options.httpOverloadFloor,
    connectionsEach: options.httpClientConnections,
  });
  const core = coreViewOf(options, token, { clock, homestead });
  const passwords = new Passwords(options.passwordCost);
  const audit = new AuditLog({ store, clock, keepDays: options.auditDays });
  const strangers = new Strangers({ audit, clock, log });
  const shared = {
    admission,
    ...{ accounts, pool, provisioning, addressBook, numbers, simservs, homestead, clock, log },
    ...{ signupCode, apiKey, allowedOrigins: options.allowedOrigins },
    sessions: new Sessions(cookieKey),
    sessionMs: options.sessionHours * HOUR_MS,
    limits: rateLimits(clock),
    passwords,
    staff: new StaffAccounts({ store, accounts, passwords, clock }),
    ...{ audit, strangers },
    importer: new ProvisioningClient(options.homestead, token),
    stateDir,
    importBytes: options.importMegabytes * 1_048_576,
    importRows: options.importRows,
    counters: getMetrics(register),
    core,
    pages,
    phone,
    turn,
    mail:
      program === ""
        ? undefined
        : (to: { email: string; fullName: string }, code: string) =>
            sendRecoveryMail({ program, sender, portalUrl }, to, code),
  };
  const { host, trustedProxies } = options;
  if (tls === undefined && trustedProxies.length === 0 && !isLoopback(host))
    log.warn(
      { host, problemId: ellisProblems.clearText.id },
      "passwords and sessions travel in clear: give --tls-certificate or --trusted-proxies",
    );
  const http = ellisServer({ host, port: options.port, trustedProxies }, shared);
  const https =
    tls === undefined ? undefined : ellisServer({ host, port: options.tlsPort, tls, trustedProxies }, shared);
  health.addNote("homestead", () => provisioning.problem, ellisProblems.homesteadAway);
  if (tls !== undefined)
    watchCertificate({ file: options.tlsCertificate, pem: tls.cert }, { alarms: health.alarms, clock });

  return {
    async start() {
      admission.start();
      await http.start();
      await https?.start();
      expiry.start();
      core.start();
    },
    async quiesce() {},
    async stop() {
      await expiry.stop();
      core.stop();
      admission.stop();
      await https?.stop();
      await http.stop();
      await strangers.stop();
      await stop();
    },
    ports: () => ({ http: http.port, ...(https === undefined ? {} : { https: https.port }) }),
  };
}

function configuredRanges(options: EllisOptions): readonly NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const [option, list, pstn] of [
    ["--numbers", options.numbers, false],
    ["--pstn-numbers", options.pstnNumbers, true],
  ] as const)
    for (const text of list) {
      const reading = parseRange(text, pstn);
      if (reading.kind === "wrong") throw wrongOption(option, reading.problem);
      if (ranges.some((each) => overlaps(each, reading.range)))
        throw wrongOption(option, `${text} overlaps another range`);
      ranges.push(reading.range);
    }
  return ranges;
}

/** `provisioningToken`: of the API of homestead. */
function coreViewOf(
  options: EllisOptions,
  provisioningToken: string | undefined,
  modules: ConstructorParameters<typeof CoreView>[1],
): CoreView {
  const { homeDomain, homestead, coreNodes, corePoolsFile, coreRunDir, coreTokenFile } = options;
  if (corePoolsFile !== "") {
    const pools = parsePoolsFile(contentOf("--core-pools-file", corePoolsFile));
    if (pools.kind === "invalid") throw wrongOption("--core-pools-file", `${corePoolsFile} ${pools.problem}`);
  }
  return new CoreView(
    {
      ...{ nodes: coreNodes, poolsFile: corePoolsFile, runDir: coreRunDir, homeDomain },
      token: coreTokenFile === "" ? undefined : contentOf("--core-token-file", coreTokenFile).trim(),
      provisioning: { url: homestead, token: provisioningToken },
      patienceMs: options.corePatienceMs,
    },
    modules,
  );
}

function isAddressOrNetwork(text: string): boolean {
  const [address = "", prefix, more] = text.split("/");
  const bits = isIP(address) === 4 ? 32 : 128;
  return (
    isIP(address) !== 0 &&
    more === undefined &&
    (prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}

function wrongOption(option: string, problem: string): EllisError {
  return new EllisError({ code: "ELLIS_OPTION", option, problem }, { message: `${option} ${problem}` });
}
