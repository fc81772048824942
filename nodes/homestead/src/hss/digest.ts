import { hash } from "node:crypto";
import type { DigestCredentials } from "./subscriber.ts";

/** What is kept of a password: RFC 7616 §3.4.2, A1 hashed with MD5 and with SHA-256. */
export function digestCredentials(impi: string, realm: string, password: string): DigestCredentials {
  const a1 = `${impi}:${realm}:${password}`;
  return { realm, ha1Md5: hash("md5", a1), ha1Sha256: hash("sha256", a1) };
}
