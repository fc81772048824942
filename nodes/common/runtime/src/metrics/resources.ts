import { hash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { isLoopback } from "../loopback.ts";

/** What a node tells on its management port beside metrics and health. */
export type ResourceAnswer =
  /** Written as JSON. */
  | { readonly kind: "found"; readonly document: unknown }
  | { readonly kind: "wrong" | "notFound" | "unavailable"; readonly detail: string };

/** Answers GET for what follows the first part of the path, decoded. Whoever asks has been admitted. */
export type Resource = (name: string) => Promise<ResourceAnswer>;

/** Why a request is not admitted. */
export interface NotAdmitted {
  readonly status: 401 | 403;
  readonly detail: string;
}

const MIN_TOKEN = 16;

/**
 * Who may see more than metrics and health: who presents the token; without one, this machine, when nobody else reaches the port. Pages in
 * a browser of this machine are kept out: they say where they are from, or name a host that is no address.
 */
export function admission(
  address: string,
  token: string | undefined,
): (request: IncomingMessage) => NotAdmitted | undefined {
  if (token !== undefined) {
    const expected = hash("sha256", `Bearer ${token}`, "buffer");
    return ({ headers }) =>
      timingSafeEqual(hash("sha256", headers.authorization ?? "", "buffer"), expected)
        ? undefined
        : { status: 401, detail: "present the management token as Authorization: Bearer" };
  }
  if (!isLoopback(address))
    return () => ({
      status: 403,
      detail: "others can reach this port: give the node --management-token-file, and present the token",
    });
  return ({ headers }) => {
    const site = headers["sec-fetch-site"];
    if (headers.origin === undefined && (site === undefined || site === "none") && isOwnHost(headers.host))
      return undefined;
    return { status: 403, detail: "requests of a web page need a token" };
  };
}

/** The token in a file; undefined when there is no file. Throws when it cannot be read or is too short. */
export function managementToken(file: string): string | undefined {
  if (file === "") return undefined;
  const token = readFileSync(file, "utf8").trim();
  if (token.length >= MIN_TOKEN) return token;
  throw new Error(`${file}: the management token must have at least ${MIN_TOKEN} characters`);
}

/** A page that has its name resolve to this machine (DNS rebinding) sends that name. */
function isOwnHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:[0-9]{1,5}$/, "").replace(/^\[(.*)\]$/, "$1");
  return isLoopback(name.toLowerCase());
}
