import type { Places } from "./files.ts";
import { homerKeys } from "./homer.ts";
import type { Member } from "./member-file.ts";

/** Keys of a site in etcd begin with it; the default of etcd-cluster. */
export const ROOT = "/tidewater";

/** What all members of a pool have in common, and the first that comes makes; in etcd in base64. */
export interface SiteKey {
  readonly key: string;
  readonly what: string;
  readonly path: string;
  readonly user: string;
  readonly text: (key: Buffer) => string | Buffer;
  readonly remedy: string;
}

const line = (key: Buffer): string => `${key.toString("base64url")}\n`;

/** Shown to homestead by who provisions. */
function provisioningToken(path: string, user: string): SiteKey {
  return {
    ...{ key: `${ROOT}/keys/provisioning`, what: "token of the pool for provisioning", path, user },
    text: line,
    remedy: `a token of your own goes to ${path} (a line, mode 0600)`,
  };
}

/** Shown to management ports by who sees more than metrics and health. */
export function managementToken(path: string, user: string): SiteKey {
  return {
    ...{ key: `${ROOT}/keys/management`, what: "token of the site for management ports", path, user },
    text: line,
    remedy: `a token of your own goes to ${path} (a line of 16 characters or more, mode 0600), the same on all machines`,
  };
}

export function homesteadKeys({ telephony }: Member, places: Places): SiteKey[] {
  const { subscriberKey } = places;
  const user = "tidewater-homestead";
  const homer = homerKeys(places);
  return [
    // Or the second one cannot read what the first one has written.
    {
      key: `${ROOT}/keys/subscribers`,
      what: "key of the pool for subscribers' credentials",
      path: subscriberKey,
      user,
      text: (key) => key,
      remedy: `a key of your own goes to ${subscriberKey} (32 octets, mode 0600)`,
    },
    provisioningToken(places.provisioningToken, user),
    ...(telephony === "off"
      ? []
      : [
          provisioningToken(homer.token, "tidewater-homer"),
          {
            key: `${ROOT}/keys/nonces`,
            what: "key of the pool for nonces of Ut",
            path: homer.nonceKey,
            user: "tidewater-homer",
            text: (key: Buffer) => `${key.toString("hex").slice(0, 32)}\n`,
            remedy: `a key of your own goes to ${homer.nonceKey} (32 hex digits, mode 0600)`,
          },
        ]),
  ];
}

/** Any ellis serves any session: its secrets are those of the pool. */
export function ellisKeys({ ellis }: Places): SiteKey[] {
  const user = "tidewater-ellis";
  const secrets = [
    ["signup-code", "code of the pool that makes accounts"],
    ["api-key", "key of the pool for operators"],
    ["cookie-key", "key of the pool for sessions"],
  ] as const;
  return [
    provisioningToken(`${ellis}/provisioning.token`, user),
    managementToken(`${ellis}/management.token`, user),
    ...secrets.map(([name, what]): SiteKey => {
      const path = `${ellis}/ellis-${name}`;
      const remedy = `one of your own goes to ${path} (a line, mode 0600), the same on all machines`;
      return { ...{ key: `${ROOT}/keys/ellis-${name}`, what, path, user, remedy }, text: line };
    }),
  ];
}
