import { stat } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import type { AlarmList } from "../alarm/alarm-list.ts";
import { watchCertificate } from "../alarm/certificate-alarm.ts";
import { watchFile } from "../alarm/file-alarm.ts";
import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import { runtimeProblems } from "../problems.ts";
import { type CredentialFiles, type Credentials, readCredentials, validUntil } from "./credentials.ts";

/** Between two looks at the files, ms. */
const EVERY_MS = 2_000;

export interface FollowModules {
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarms?: AlarmList;
}

/**
 * Certificate, key and authorities as their files have them: renewed files are taken up for connections made from then on. Files that
 * will not do leave the last good ones in force; that is logged once, and an alarm.
 */
export class FollowedCredentials {
  readonly #files: CredentialFiles;
  readonly #modules: FollowModules;
  readonly #listeners = new Set<(credentials: Credentials) => void>();
  #current: Credentials;
  #context: SecureContext;
  #stamp: string | undefined;
  /** What the files were when they would not do: they may be in the middle of being replaced. */
  #suspect = "";
  #problem: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  /** Throws CredentialError. */
  constructor(files: CredentialFiles, modules: FollowModules) {
    this.#files = files;
    this.#modules = modules;
    this.#current = readCredentials(files);
    this.#context = contextOf(this.#current);
    const { alarms, clock } = modules;
    if (alarms !== undefined) {
      watchCertificate({ file: files.certificate, pem: () => this.#current.cert }, { alarms, clock });
      watchFile(alarms, `${files.certificate} ${files.key} ${files.ca}`, this);
    }
    this.#wait();
  }

  get current(): Credentials {
    return this.#current;
  }

  /** For connections that are made now; TLS 1.2 or later (RFC 8996). */
  get context(): SecureContext {
    return this.#context;
  }

  /** Why the files as they are now are not in force. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Told of what has been renewed; the function returned ends that. */
  onChange(listener: (credentials: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#timer = this.#modules.clock.setTimer(EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { certificate, key, ca } = this.#files;
    const stamps = await Promise.all(
      [certificate, key, ca].map((file) =>
        stat(file, { bigint: true }).then(
          ({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`,
          () => "gone",
        ),
      ),
    );
    if (this.#stopped) return;
    const stamp = stamps.join();
    // The first look compares with what was read at the start.
    if (stamp !== this.#stamp || this.#problem !== undefined) this.#read(stamp);
    this.#wait();
  }

  #read(stamp: string): void {
    let read: Credentials;
    try {
      read = readCredentials(this.#files);
    } catch (error) {
      // Three files are not replaced in one step: what is wrong twice is wrong.
      if (this.#suspect === stamp) this.#complain(error instanceof Error ? error.message : String(error));
      this.#suspect = stamp;
      this.#stamp = undefined;
      return;
    }
    this.#stamp = stamp;
    this.#suspect = "";
    this.#problem = undefined;
    const { cert, key, ca } = this.#current;
    if (read.cert === cert && read.key === key && read.ca === ca) return;
    this.#current = read;
    this.#context = contextOf(read);
    const until = new Date(validUntil(read.cert)).toISOString();
    this.#modules.log.info(
      { file: this.#files.certificate, until },
      "certificates of the core have changed; new connections use them",
    );
    for (const listener of [...this.#listeners]) listener(read);
  }

  #complain(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#modules.log.error(
      { problem, problemId: runtimeProblems.fileRefused.id },
      "certificates of the core stay as they were",
    );
  }
}

function contextOf({ cert, key, ca }: Credentials): SecureContext {
  return createSecureContext({ cert, key, ca, minVersion: "TLSv1.2" });
}
