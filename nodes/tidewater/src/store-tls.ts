import { type CoreTls, createLogger, openCoreTls, systemClock } from "@ims/runtime";
import type { Command } from "commander";

/** How a command reaches stores that speak TLS. */
export interface StoreTlsGiven {
  readonly coreTlsCertificate?: string;
  readonly coreTlsKey?: string;
  readonly coreTlsCa?: string;
}

export function withStoreTls(command: Command): Command {
  return command
    .option("--core-tls-certificate <file>", "speak TLS with the stores: certificate (PEM), as a node has it")
    .option("--core-tls-key <file>", "its private key (PEM)")
    .option("--core-tls-ca <file>", "the authorities of the core (PEM)");
}

/** Undefined: in the clear. The files are read once: a command is soon over. @throws CredentialError */
export function openStoreTls({
  coreTlsCertificate = "",
  coreTlsKey = "",
  coreTlsCa = "",
}: StoreTlsGiven): CoreTls | undefined {
  const files = { coreTlsCertificate, coreTlsKey, coreTlsCa };
  const uses = {
    "core-tls-certificate": coreTlsCertificate !== "",
    "core-tls-key": coreTlsKey !== "",
    "core-tls-ca": coreTlsCa !== "",
  };
  const log = createLogger({ name: "tidewater", level: "silent" });
  const tls = openCoreTls(files, uses, { clock: systemClock(), log });
  tls?.stop();
  return tls;
}
