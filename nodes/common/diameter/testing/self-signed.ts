import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh key and certificate for `name` and 127.0.0.1, made by the system's openssl. */
export function selfSigned(name = "hss.example.com"): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "diameter-tls-"));
  const key = join(folder, "key.pem");
  const cert = join(folder, "cert.pem");
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:127.0.0.1,DNS:${name}`];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
  ];
  try {
    execFileSync("openssl", [...made, "-keyout", key, "-out", cert, ...subject], { stdio: "pipe" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
