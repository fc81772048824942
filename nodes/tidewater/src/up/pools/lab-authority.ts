import { execFile } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Runner } from "./member.ts";

const run = promisify(execFile);
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const DAYS = "90";

/** What a process of the core is given. Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** Certificate and key together, as Cassandra takes them. */
  readonly keystore: string;
}

/** An authority for one laboratory: its key lies beside the certificates. Made by the openssl program. */
export class LabAuthority {
  readonly #folder: string;
  #made: Promise<void> | undefined;

  /** `folder`: absolute; made when missing. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the files of a process are, made or not. */
  filesOf(name: string): CertificateFiles {
    const own = join(this.#folder, name);
    return {
      certificate: join(own, "own.pem"),
      key: join(own, "own.key"),
      ca: join(this.#folder, "ca.pem"),
      keystore: join(own, "keystore.pem"),
    };
  }

  /** Makes the certificate of a process, unless it has one for half of its time yet. */
  async issue(name: string, host: string): Promise<void> {
    this.#made ??= this.#make();
    await this.#made;
    const { certificate, key, keystore } = this.filesOf(name);
    if (await isFresh(certificate)) return;
    const folder = join(this.#folder, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const [request, extensions, made] = ["own.csr", "extensions", "made.pem"].map((file) =>
      join(folder, file),
    ) as [string, string, string];
    await openssl(["req", "-new", ...CURVE, "-subj", `/CN=${name}`, "-keyout", key, "-out", request]);
    await writeFile(
      extensions,
      `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:${host},DNS:${name}\n`,
    );
    const by = ["-CA", join(this.#folder, "ca.pem"), "-CAkey", join(this.#folder, "ca.key")];
    const serial = ["-set_serial", `0x${randomBytes(16).toString("hex")}`];
    const how = ["-extfile", extensions, "-days", DAYS, "-out", made];
    await openssl(["x509", "-req", "-in", request, ...by, ...serial, ...how]);
    const both = await Promise.all([key, made].map((file) => readFile(file, "utf8")));
    await writeFile(keystore, both.join(""), { mode: 0o600 });
    await rename(made, certificate);
  }

  /** The same process, with its certificate made before it starts. */
  certified(runner: Runner, name: string, host: string): Runner {
    return {
      start: async (onExit) => {
        await this.issue(name, host);
        return runner.start(onExit);
      },
      stop: () => runner.stop(),
    };
  }

  async #make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const [key, certificate] = [join(this.#folder, "ca.key"), join(this.#folder, "ca.pem")];
    if (await isFresh(certificate)) return;
    const self = ["-x509", "-days", "365", "-subj", "/CN=Tidewater laboratory", "-keyout", key];
    await openssl(["req", ...CURVE, ...self, "-out", `${certificate}.new`]);
    await rename(`${certificate}.new`, certificate);
  }
}

async function isFresh(file: string): Promise<boolean> {
  try {
    const { validFrom, validTo } = new X509Certificate(await readFile(file));
    return Date.now() < (Date.parse(validFrom) + Date.parse(validTo)) / 2;
  } catch {
    return false;
  }
}

/** Its own words are kept out of ours. */
async function openssl(args: readonly string[]): Promise<void> {
  try {
    await run("openssl", args);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Error(
      missing
        ? "--core-tls needs the openssl program, which is not installed: apt-get install openssl"
        : `openssl ${args[0]} failed`,
    );
  }
}
