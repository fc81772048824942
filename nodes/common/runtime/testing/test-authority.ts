import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths and texts of PEM files, as options of a node. */
export interface TestCertificate {
  readonly coreTlsCertificate: string;
  readonly coreTlsKey: string;
  readonly coreTlsCa: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface TestCertificateOptions {
  /** "IP:127.0.0.1,DNS:sprout-1,URI:sip:example.com" */
  readonly names: string;
  /** Default 2; -1: it has expired. */
  readonly days?: number;
}

let folders = 0;
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });

/** An authority of its own, by the openssl program; its files are gone after the test. */
export interface TestAuthority {
  readonly folder: string;
  /** A certificate in files of its own. */
  issue(options: TestCertificateOptions): TestCertificate;
  /** Another one in the same files, with another key: the certificate first, the key after it. */
  renew(files: TestCertificate, options: TestCertificateOptions): TestCertificate;
}

export function testAuthority(t: { after(cleanup: () => void): void }): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), "authority-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [ca, caKey] = [join(folder, "ca.pem"), join(folder, "ca.key")];
  openssl(
    "req",
    "-x509",
    ...CURVE,
    "-days",
    "2",
    "-subj",
    `/CN=test ${++folders}`,
    "-keyout",
    caKey,
    "-out",
    ca,
  );
  const make = (
    certificate: string,
    key: string,
    { names, days = 2 }: TestCertificateOptions,
  ): TestCertificate => {
    const [request, extensions] = [join(folder, "csr"), join(folder, "extensions")];
    openssl("req", "-new", ...CURVE, "-subj", "/CN=node", "-keyout", `${key}.new`, "-out", request);
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const by = ["-CA", ca, "-CAkey", caKey, "-set_serial", String(++folders)];
    const how = ["-extfile", extensions, "-days", String(days), "-out", `${certificate}.new`];
    openssl("x509", "-req", "-in", request, ...by, ...how);
    for (const file of [certificate, key]) execFileSync("mv", [`${file}.new`, file]);
    const [cert, keyText, caText] = [certificate, key, ca].map((file) => readFileSync(file, "utf8")) as [
      string,
      string,
      string,
    ];
    return {
      ...{ coreTlsCertificate: certificate, coreTlsKey: key, coreTlsCa: ca },
      ...{ cert, key: keyText, ca: caText },
    };
  };
  return {
    folder,
    issue: (options) => {
      const name = String(++folders);
      return make(join(folder, `${name}.pem`), join(folder, `${name}.key`), options);
    },
    renew: ({ coreTlsCertificate, coreTlsKey }, options) => make(coreTlsCertificate, coreTlsKey, options),
  };
}
