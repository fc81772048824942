import { readFile } from "node:fs/promises";
import type { Clock, Logger, Service } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { etcdClusterProblems } from "../problems.ts";
import { Turns } from "../turns.ts";
import { renewalDue } from "./renewal.ts";

export interface CertificateFollowerOptions {
  readonly client: Pick<EtcdClient, "useTls">;
  readonly clock: Clock;
  readonly log: Logger;
  /** PEM files; the certificate changes when it is renewed. */
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Default: an hour. */
  readonly everyMs?: number;
}

/** Has the client of etcd work with a certificate that was renewed; says in the log when one should have been. */
export class CertificateFollower implements Service {
  readonly #options: CertificateFollowerOptions;
  readonly #turns: Turns;
  #certificate: string | undefined;
  #complained = false;

  constructor(options: CertificateFollowerOptions) {
    this.#options = options;
    const { clock, log, everyMs = 3_600_000 } = options;
    this.#turns = new Turns({
      clock,
      everyMs,
      turn: () => this.#look(),
      onError: (err) =>
        log.error(
          { err, problemId: etcdClusterProblems.certificateNotRenewed.id },
          "the certificate for etcd cannot be read; the last one stays",
        ),
    });
  }

  async start(): Promise<void> {
    this.#certificate = await readFile(this.#options.files.certificate, "utf8");
    this.#turns.start();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#turns.stop();
    await this.#turns.ended();
  }

  async #look(): Promise<void> {
    const { client, clock, log, files } = this.#options;
    const [ca = "", cert = "", key = ""] = await Promise.all(
      [files.ca, files.certificate, files.key].map((path) => readFile(path, "utf8")),
    );
    const due = renewalDue(cert, clock.now());
    if (cert !== this.#certificate) {
      client.useTls({ ca, cert, key });
      this.#certificate = cert;
      this.#complained = false;
      log.info("the certificate for etcd was renewed; it is used from now on");
    }
    if (due && !this.#complained)
      log.error(
        { problemId: etcdClusterProblems.certificateNotRenewed.id },
        "two thirds of the time of the certificate for etcd are over, and it is not renewed",
      );
    this.#complained = due;
  }
}
