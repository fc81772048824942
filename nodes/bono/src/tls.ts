import { readFileSync } from "node:fs";
import { BonoError } from "./errors.ts";
import type { BonoOptions } from "./options.ts";

/** Certificate chain and key, PEM, of the sides that speak TLS; undefined: none was given. @throws BonoError */
export function readTls({
  tlsCertFile,
  tlsKeyFile,
  tlsCert,
  tlsKey,
}: BonoOptions): { cert: string; key: string } | undefined {
  const [hasCert, hasKey] = [tlsCertFile + tlsCert !== "", tlsKeyFile + tlsKey !== ""];
  if (!hasCert && !hasKey) return undefined;
  if (!hasCert || !hasKey)
    throw new BonoError({
      code: "BONO_TLS_INCOMPLETE",
      problem: `a certificate (--tls-cert-file or --tls-cert) and its key (--tls-key-file or --tls-key) go together; ${hasCert ? "the second" : "the first"} is missing`,
    });
  const pem = (file: string, inline: string, what: string): string =>
    file === "" ? Buffer.from(inline, "base64").toString("latin1") : readPem(file, what);
  return { cert: pem(tlsCertFile, tlsCert, "CERTIFICATE"), key: pem(tlsKeyFile, tlsKey, "PRIVATE KEY") };
}

export function readAuthorities({ ibcfCaFile }: BonoOptions): { ca?: string } {
  return ibcfCaFile === "" ? {} : { ca: readPem(ibcfCaFile, "CERTIFICATE") };
}

function readPem(file: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (cause) {
    throw new BonoError({ code: "BONO_TLS_FILE", file, problem: "cannot be read" }, { cause });
  }
  if (!text.includes(`${what}-----`))
    throw new BonoError({ code: "BONO_TLS_FILE", file, problem: `holds no PEM ${what}` });
  return text;
}
