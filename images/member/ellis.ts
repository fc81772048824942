import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { type CertificateModules, obtainCertificates } from "./certificates.ts";
import { clusterConfig, poolsTemplate } from "./cluster.ts";
import { type Places, put } from "./files.ts";
import { localOptions, managementUrl } from "./local-config.ts";
import { type Member, MemberError } from "./member-file.ts";
import { waitForFiles, waitForReady } from "./ready.ts";
import { probeOf, type Waiting, waitForSeeds } from "./seeds.ts";
import { obtainEllisKeys } from "./site-keys.ts";
import type { MemberModules } from "./vellum.ts";

const run = promisify(execFile);
const USER = "tidewater-ellis";
/** Browsers ask who it is anyway; what ends soon would end unseen. */
const DAYS = "3650";

/** Where ellis has its certificate; the operator's own goes there too. */
export function portalCertificate({ ellis }: Places): { readonly certificate: string; readonly key: string } {
  return { certificate: `${ellis}/portal.pem`, key: `${ellis}/portal.key` };
}

/** The keys of the pool, a certificate, the members of the core, then ellis itself. @throws MemberError */
export async function startEllis(member: Member, modules: MemberModules, waiting: Waiting): Promise<void> {
  const { places } = modules;
  const url = managementUrl("ellis", places.localConfig);
  await obtainCertificates(member, modules, waiting);
  const pools = { path: places.pools, what: "the pools file" };
  // With the file of before the machine starts again without etcd too.
  if (!existsSync(pools.path)) await waitForSeeds(member.seeds ?? [], probeOf(member, places), waiting);
  await obtainEllisKeys(member, modules);
  await makePortalCertificate(member, modules);
  // bono's management port is on Mw, which the portal is not on.
  const template = poolsTemplate(member.domain, ["sprout", "homestead"]);
  put(`${places.run}/pools_template.json`, `${JSON.stringify(template)}\n`);
  put(`${places.run}/cluster_config`, clusterConfig(member, places, url));
  await modules.startUnit("tidewater-cluster.service");
  await waitForFiles([pools], waiting);
  await modules.startUnit("tidewater-ellis.service");
  await waitForReady(`${url}/health/ready`, "tidewater-ellis.service", waiting);
}

/**
 * A certificate that this machine signs itself, so that passwords never travel in clear; one that is there, the operator's say, stays.
 * @throws MemberError
 */
export async function makePortalCertificate(
  { name, domain }: Pick<Member, "name" | "domain">,
  { places, own }: CertificateModules,
): Promise<void> {
  const { certificate, key } = portalCertificate(places);
  const there = [certificate, key].filter((path) => existsSync(path));
  if (there.length === 2) return owned();
  // One alone is half of what an operator wanted to put there, or of what we did: the key is renamed first.
  if (there[0] === certificate)
    throw new MemberError(
      `${certificate} is there without ${key}`,
      "put its key there too (mode 0600), or take the certificate away: the machine signs one then",
    );
  const text = z.string().default("").describe("as the node's own");
  const { host } = localOptions("ellis", places.localConfig, z.object({ host: text }));
  const full = `${name}.ellis.${domain.toLowerCase()}`;
  mkdirSync(places.ellis, { recursive: true, mode: 0o700 });
  const [fresh, freshKey] = [`${certificate}.new`, `${key}.new`];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=Tidewater portal", "-addext", `subjectAltName=DNS:${full},IP:${host}`];
  try {
    const files = ["-keyout", freshKey, "-out", fresh];
    await run("openssl", ["req", "-x509", ...curve, "-days", DAYS, ...names, ...files]);
    // The certificate last: while it is not there nothing is.
    await rename(freshKey, key);
    await rename(fresh, certificate);
  } catch (error) {
    for (const path of [fresh, freshKey]) rmSync(path, { force: true });
    const { stderr = "" } = error as { readonly stderr?: string };
    throw new MemberError(
      `no certificate for the portal could be made: ${stderr.trim().split("\n").at(-1) || (error as Error).message}`,
      `host of ${places.localConfig} has to be an address; a certificate of your own goes to ${certificate}, its key to ${key}`,
    );
  }
  owned();

  /** Whoever has put them there. */
  function owned(): void {
    for (const path of [places.ellis, certificate, key]) own(path, USER);
  }
}
