import { readFileSync } from "node:fs";
import { isLoopback } from "@ims/runtime";
import { HomesteadError } from "./errors.ts";
import type { HomesteadOptions } from "./options.ts";

/** Where the provisioning API listens. */
export function provisioningAddress(options: HomesteadOptions): string {
  if (options.provisioningHost !== "") return options.provisioningHost;
  return isLoopback(options.host) ? options.host : "127.0.0.1";
}

/** The first listener that others than this machine may reach. */
export function exposedAddress(options: HomesteadOptions): string | undefined {
  return [options.host, provisioningAddress(options), options.managementAddress].find(
    (each) => !isLoopback(each),
  );
}

/** The token of the provisioning API, from its file. Throws where none is given and one is needed. */
export function provisioningToken(options: HomesteadOptions): string | undefined {
  const file = options.provisioningTokenFile;
  if (file === "") {
    const address = provisioningAddress(options);
    if (isLoopback(address)) return undefined;
    throw new HomesteadError(
      { code: "PROVISIONING_WITHOUT_TOKEN", address },
      { message: `the provisioning API on ${address} needs --provisioning-token-file: others can reach it` },
    );
  }
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new HomesteadError({ code: "TOKEN_FILE", file, problem: "cannot be read" }, { cause });
  }
  if (token.length >= 16) return token;
  throw new HomesteadError({ code: "TOKEN_FILE", file, problem: "must hold at least 16 characters" });
}
