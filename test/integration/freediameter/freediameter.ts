import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { selfSigned, until } from "@ims/diameter/testing";
import { freePort } from "@ims/runtime/testing";

/** A peer that freeDiameter knows: it connects there, and lets it in. */
export interface KnownPeer {
  readonly originHost: string;
  /** IPv4 address; default: 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
}

export interface FreeDiameter {
  readonly originHost: string;
  readonly host: string;
  readonly port: number;
  readonly log: () => string;
  /** TERM, which makes it say DPR to its peers; resolves when it has ended. */
  stop(): Promise<void>;
}

/** freeDiameter leaves loopback addresses out of what it listens on and announces. */
export function ownAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? [])
      if (family === "IPv4" && !internal) return address;
  }
  return undefined;
}

/** Why freeDiameter cannot run here; undefined: it can. */
export function whyNot(): string | undefined {
  const { error } = spawnSync("freeDiameterd", ["--version"], { stdio: "ignore" });
  if (error !== undefined) return "freeDiameterd is not installed (scripts/install-test-tools)";
  if (ownAddress() === undefined)
    return "freeDiameter needs an IPv4 address besides loopback, and there is none";
  return undefined;
}

/** Starts freeDiameter as a relay between `peers`; it is ended with the test. */
export async function startFreeDiameter(t: TestContext, peers: readonly KnownPeer[]): Promise<FreeDiameter> {
  const folder = mkdtempSync(join(tmpdir(), "freediameter-"));
  const host = ownAddress() ?? "";
  const port = await freePort(host);
  const originHost = "fd.relay.example";
  const { key, cert } = selfSigned(originHost);
  writeFileSync(join(folder, "key.pem"), key);
  writeFileSync(join(folder, "cert.pem"), cert);
  const known = peers.map(
    (peer) =>
      `ConnectPeer = "${peer.originHost}" { ConnectTo = "${peer.host ?? "127.0.0.1"}"; Port = ${peer.port}; No_TLS; No_SCTP; };`,
  );
  const configuration = [
    `Identity = "${originHost}";`,
    'Realm = "relay.example";',
    `Port = ${port};`,
    "SecPort = 0;",
    "No_SCTP;",
    "No_IPv6;",
    `ListenOn = "${host}";`,
    "TcTimer = 1;",
    // The least that RFC 3539 allows.
    "TwTimer = 6;",
    // It wants a certificate even when it never uses one.
    `TLS_Cred = "${join(folder, "cert.pem")}", "${join(folder, "key.pem")}";`,
    `TLS_CA = "${join(folder, "cert.pem")}";`,
    ...known,
  ];
  writeFileSync(join(folder, "freediameter.conf"), `${configuration.join("\n")}\n`);
  const child = spawn("freeDiameterd", ["-c", join(folder, "freediameter.conf"), "-d"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.after(async () => {
    await stop(child, ended);
    rmSync(folder, { recursive: true });
  });
  await until(() => log.includes("daemon initialized") || child.exitCode !== null, "freeDiameter");
  if (child.exitCode !== null) throw new Error(`freeDiameter did not start:\n${log}`);
  return { originHost, host, port, log: () => log, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(hard);
}
