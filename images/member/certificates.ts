import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  EnrolmentServer,
  EtcdError,
  enrol,
  enrolHere,
  JOIN_TOKEN,
  localLedger,
  openAuthority,
  renew,
} from "@ims/etcd-cluster";
import { createLogger, systemClock } from "@ims/runtime";
import { hasDataVolume, lineOf, type Places, put } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";
import { seedUrl, type Waiting } from "./seeds.ts";

const ENROL_PORT = 2378;
/** As many machines as a site has, each healed and rebuilt a few times. */
export const TOKEN_USES = 1000;
export const TOKEN_HOURS = 24;

export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export function tlsFilesIn(folder: string): TlsFiles {
  return { ca: join(folder, "ca.pem"), certificate: join(folder, "own.pem"), key: join(folder, "own.key") };
}

/** Where a process has its copies: the key can be read by its user only, and is on no disk but the first. */
export function tlsFilesOf(process: "etcd" | "cluster", { run }: Places): TlsFiles {
  return tlsFilesIn(`${run}/tls-${process}`);
}

/** What a client of etcd is to be told, as options of etcd-cluster. */
export function etcdOptions({ etcdTls }: Pick<Member, "etcdTls">, seeds: readonly string[], files: TlsFiles) {
  const secure = etcdTls === "on";
  return {
    etcd: seeds.map((seed) => seedUrl(seed, secure)).join(","),
    etcdCa: secure ? files.ca : "",
    etcdCertificate: secure ? files.certificate : "",
    etcdKey: secure ? files.key : "",
  };
}

/** The first seed has the authority that lets all others in. */
export function isFounder({ role, address, seeds = [] }: Member): boolean {
  return role === "vellum" && seeds[0] === address;
}

/** The first vellum answers by itself until there is an etcd to know the join tokens; then etcd-cluster does. */
export interface Founding {
  /** etcd works, and says from now on which tokens are good. */
  done(): void;
  /** Ends the answers, whether that came to pass or not. */
  close(): Promise<void>;
}

export interface CertificateModules {
  readonly places: Places;
  /** Gives a file or folder to the user of a process. */
  readonly own: (path: string, user: string) => void;
}

/** Has this machine let in, and gives its certificate to the processes that use it. @throws MemberError */
export async function obtainCertificates(
  member: Member,
  { places, own }: CertificateModules,
  waiting: Waiting,
): Promise<Founding | undefined> {
  if (member.etcdTls === "off") return undefined;
  const token = lineOf(places.joinToken);
  if (!JOIN_TOKEN.test(token))
    throw new MemberError(
      `etcd speaks TLS, and the join token is ${token === "" ? "missing" : "too short"}`,
      "give the stack a join_token of 22 letters, digits or ._~- at least, the same for all machines",
    );
  const founding = isFounder(member) ? await found(member, token, { places, own }) : undefined;
  if (founding === undefined) await letIn(member, token, places, waiting);
  giveCopies(member, { places, own }, ["ca", "certificate", "key"]);
  return founding;
}

function giveCopies(
  { role }: Member,
  { places, own }: CertificateModules,
  which: readonly (keyof TlsFiles)[],
): void {
  const files = tlsFilesIn(places.tls);
  for (const process of role === "vellum" ? (["etcd", "cluster"] as const) : (["cluster"] as const)) {
    const copies = tlsFilesOf(process, places);
    for (const one of which) {
      put(copies[one], readFileSync(files[one], "utf8"), one === "key" ? 0o400 : 0o444);
      own(copies[one], `tidewater-${process}`);
    }
  }
}

/**
 * A later certificate for the key of this machine when two thirds of the time of its own are over, from the first vellum, and copies for
 * the processes, which take it up by themselves. @throws MemberError: tried again tomorrow
 */
export async function renewCertificates(
  member: Member,
  modules: CertificateModules,
  now: number,
): Promise<"renewed" | "good" | "none"> {
  const { places } = modules;
  const { seeds = [], etcdTls } = member;
  if (etcdTls === "off" || !existsSync(tlsFilesIn(places.tls).certificate)) return "none";
  const servers = seeds.slice(0, 1).map((seed) => seedUrl(seed, false, ENROL_PORT));
  try {
    const result = await renew({ servers, folder: places.tls, now });
    if (result === "renewed") giveCopies(member, modules, ["certificate"]);
    return result;
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    throw new MemberError(
      `the certificate for etcd is not renewed: ${error.message}`,
      "see that the first vellum runs, with its data volume; what has expired is replaced by a reboot without /var/lib/tidewater/tls/own.pem and a join token made good again ('etcd-admin reopen')",
    );
  }
}

async function found(member: Member, token: string, { places, own }: CertificateModules): Promise<Founding> {
  const { name, address } = member;
  // Made anew it would know none of the machines that were let in before.
  if (!hasDataVolume(places))
    throw new MemberError(
      "the authority that lets machines in has to outlive this server, and there is no data volume",
      "give the vellums data volumes (parameter vellum_volume), or leave etcd without TLS (parameter etcd_tls)",
    );
  const authority = await openAuthority(places.authority);
  await enrolHere(authority, { name, address, folder: places.tls });
  for (const path of ["", "ca.pem", "ca.key"]) own(join(places.authority, path), "tidewater-cluster");
  const mark = join(places.authority, "founded");
  if (existsSync(mark)) return { done: () => undefined, close: () => Promise.resolve() };
  const clock = systemClock();
  const server = new EnrolmentServer({
    ...{ clock, authority, host: address, port: ENROL_PORT },
    ledger: localLedger(token, { uses: TOKEN_USES, expires: clock.now() + TOKEN_HOURS * 3_600_000 }),
    log: createLogger({ name: "member", level: "info" }),
  });
  await server.start();
  return { done: () => put(mark, ""), close: () => server.stop() };
}

/** Asks the first seed until it answers. */
async function letIn(
  { name, address, seeds = [] }: Member,
  token: string,
  places: Places,
  { say, deadline, everyMs = 2000, remindMs = 30_000 }: Waiting,
): Promise<void> {
  mkdirSync(places.tls, { recursive: true, mode: 0o700 });
  const servers = seeds.slice(0, 1).map((seed) => seedUrl(seed, false, ENROL_PORT));
  for (let spoke = Number.NEGATIVE_INFINITY; ; await sleep(everyMs)) {
    let problem: string;
    try {
      await enrol({ servers, token, name, address, folder: places.tls });
      return;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      problem = error.message;
    }
    if (performance.now() > deadline)
      throw new MemberError(
        `this machine is not let in to etcd: ${problem}`,
        "see that the first vellum runs; for a new token run 'etcd-admin token' there, and give it to the stack as join_token",
      );
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for a certificate from the first vellum: ${problem}`);
    }
  }
}
