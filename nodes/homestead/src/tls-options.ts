import { readFileSync } from "node:fs";
import type { TlsOptions } from "node:tls";
import { HomesteadError } from "./errors.ts";
import type { HomesteadOptions } from "./options.ts";

/** TLS 1.2 or later for Diameter (RFC 6733 §13.1); undefined without a certificate. Throws TLS_FILE. */
export function tlsOptions(options: HomesteadOptions): (TlsOptions & { readonly cert: string }) | undefined {
  const { tlsCertificate, tlsKey, tlsCa } = options;
  if (tlsCertificate === "") return undefined;
  return {
    cert: readPem(tlsCertificate, "certificate"),
    key: readPem(tlsKey, "private key"),
    minVersion: "TLSv1.2",
    ...(tlsCa === ""
      ? {}
      : { ca: readPem(tlsCa, "authorities"), requestCert: true, rejectUnauthorized: true }),
  };
}

function readPem(file: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new HomesteadError({ code: "TLS_FILE", file, problem: `${what} cannot be read` }, { cause });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new HomesteadError({ code: "TLS_FILE", file, problem: `${what} is not PEM` });
}
