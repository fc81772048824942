import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { coturnConfiguration, peerRange } from "@ims/api";
import { readSettings, turnSecretOf } from "@ims/etcd-cluster";
import { type Places, put } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";

/** Of the unit tidewater-turn. */
const USER = "tidewater-turn";
const FOLDER = "/run/tidewater-turn";

export interface TurnModules {
  readonly places: Places;
  readonly own: (path: string, user: string) => void;
  /** Networks that this machine is on. */
  readonly interfaces?: typeof networkInterfaces;
}

/**
 * Writes the configuration of the coturn on this machine, for its eyes alone: on bono's access address, its secret from the key of flow
 * tokens, with no way into the networks of the operator. `shared`: what bono reads beside local_config. @throws MemberError
 */
export function writeTurnConfiguration(
  { domain, turnDenied }: Pick<Member, "domain" | "turnDenied">,
  shared: string,
  { places, own, interfaces = networkInterfaces }: TurnModules,
): void {
  const settings = new Map([shared, places.localConfig].flatMap((path) => [...settingsIn(path)]));
  const access = settings.get("host") ?? "";
  if (isIP(access) === 0)
    throw new MemberError(
      `TURN is on bono's access address, and host of ${places.localConfig} is ${JSON.stringify(access)}`,
      "correct the user data on the config drive (heat-templates/user-data) and rebuild the server",
    );
  const key = settings.get("flow_token_key");
  if (key === undefined || key === "")
    throw new MemberError(
      "TURN makes its secret from the key of flow tokens, and there is none",
      "give the stack a join token (parameter join_token), by which the core brings that key",
    );
  const names = (settings.get("dns_servers") ?? "").split(",").filter((one) => isIP(one) !== 0);
  const text = coturnConfiguration({
    ...{ realm: domain, secret: turnSecretOf(key), addresses: [access], folder: FOLDER },
    denied: [...new Set([...turnDenied, ...names, ...otherNetworks(access, interfaces())])],
  });
  put(places.turnConfig, text, 0o400);
  own(places.turnConfig, USER);
}

/** Networks of this machine that user equipment is not on. */
function otherNetworks(access: string, interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ address, internal }) => !internal && address !== access)
    .flatMap(({ cidr }) => (cidr === null || peerRange(cidr) === undefined ? [] : [cidr]));
}

function settingsIn(path: string): ReadonlyMap<string, string> {
  const read = readSettings(existsSync(path) ? readFileSync(path, "utf8") : "");
  return read.kind === "settings" ? read.settings : new Map();
}
