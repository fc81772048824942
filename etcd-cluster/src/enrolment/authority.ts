import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../cluster-manager/cassandra/nodetool.ts";

const AUTHORITY_DAYS = "3650";
const MEMBER_DAYS = "825";
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Signs the certificates by which the machines of a site know each other in etcd. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for this name and address; of the request only the key counts. PEM both. */
  sign(request: string, name: string, address: string): Promise<string>;
}

/** Makes ca.pem and ca.key in a folder of their own, or finds them there. */
export async function openAuthority(folder: string): Promise<Authority> {
  const [pem, key] = [join(folder, "ca.pem"), join(folder, "ca.key")];
  const found = await readFile(pem, "utf8").catch(() => undefined);
  if (found === undefined) await create(folder, pem, key);
  const certificate = found ?? (await readFile(pem, "utf8"));
  return {
    certificate,
    async sign(request, name, address) {
      if (!/^[a-z0-9-]{1,63}$/.test(name)) throw new RangeError("a name is a DNS label");
      if (isIP(address) === 0) throw new RangeError("an address is an IPv4 or IPv6 address");
      return inFolder(async (work) => {
        const [csr, extensions] = [join(work, "csr.pem"), join(work, "extensions")];
        await writeFile(csr, request);
        await writeFile(
          extensions,
          `basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:${address},IP:127.0.0.1,DNS:localhost,DNS:${name}\n`,
        );
        const by = ["-CA", pem, "-CAkey", key, "-set_serial", `0x${randomBytes(16).toString("hex")}`];
        const own = ["-subj", `/CN=${name}`, "-extfile", extensions, "-days", MEMBER_DAYS];
        return runProgram(["openssl", "x509", "-req", "-in", csr, ...by, ...own]);
      });
    },
  };
}

async function create(folder: string, pem: string, key: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [freshKey, fresh] = [`${key}.new`, `${pem}.new`];
  const self = ["-x509", "-days", AUTHORITY_DAYS, "-subj", "/CN=Tidewater etcd", "-keyout", freshKey];
  await runProgram(["openssl", "req", ...CURVE, ...self, "-out", fresh]);
  // The certificate last: while it is not there nothing is. Neither may be empty after a power cut.
  for (const path of [freshKey, fresh]) await flush(path);
  await rename(freshKey, key);
  await rename(fresh, pem);
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new key, written to `keyFile` (0600 by openssl), and the request for its certificate. PEM. */
export function requestCertificate(keyFile: string): Promise<string> {
  return runProgram(["openssl", "req", "-new", ...CURVE, "-subj", "/CN=machine", "-keyout", keyFile]);
}

/** The request again, for a key that is there. */
export function requestAgain(keyFile: string): Promise<string> {
  return runProgram(["openssl", "req", "-new", "-subj", "/CN=machine", "-key", keyFile]);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tidewater-authority-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
