import { z } from "zod";
import type { Cloud, Credentials, NamedOrId, Scope } from "./cloud.ts";
import { OpenStackError } from "./errors.ts";
import type { Http } from "./http.ts";

/** A token, and what it opens. The token is a secret. */
export interface Token {
  readonly value: string;
  /** ms since the epoch. */
  readonly expires: number;
  readonly project: { readonly id: string; readonly name: string } | undefined;
  readonly roles: readonly string[];
  readonly catalogue: readonly CatalogueEntry[];
}

interface CatalogueEntry {
  readonly type: string;
  readonly endpoints: readonly {
    readonly interface: string;
    readonly region?: string | null | undefined;
    readonly region_id?: string | null | undefined;
    readonly url: string;
  }[];
}

const answer = z.object({
  token: z.object({
    expires_at: z.iso.datetime({ offset: true, local: true }),
    project: z.object({ id: z.string(), name: z.string() }).optional(),
    roles: z.array(z.object({ name: z.string() })).default([]),
    catalog: z
      .array(
        z.object({
          type: z.string(),
          endpoints: z.array(
            z.object({
              interface: z.string(),
              region: z.string().nullish(),
              region_id: z.string().nullish(),
              url: z.string(),
            }),
          ),
        }),
      )
      .default([]),
  }),
});

/** Types that mean the same service in catalogues (service types authority). */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  "block-storage": ["block-storage", "volumev3"],
};

/**
 * Keystone v3: POST /v3/auth/tokens.
 *
 * @throws OpenStackError
 */
export async function authenticate(
  http: Http,
  { authUrl, credentials }: Cloud,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Token> {
  const url = `${authUrl}/auth/tokens`;
  const { status, headers, text } = await http.send({
    service: "keystone",
    method: "POST",
    url,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(requestOf(credentials)),
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (status === 401 || status === 403)
    throw new OpenStackError({ code: "AUTHENTICATION", url: authUrl, detail: detailOf(text) });
  if (status !== 201 && status !== 200)
    throw new OpenStackError({
      code: "REFUSED",
      service: "keystone",
      method: "POST",
      path: "/v3/auth/tokens",
      status,
      detail: detailOf(text),
    });
  const value = headers["x-subject-token"];
  const parsed = answer.safeParse(jsonOf(text));
  if (typeof value !== "string" || !parsed.success)
    throw new OpenStackError({
      code: "ANSWER",
      service: "keystone",
      url: authUrl,
      problem: "no token in the answer",
    });
  const { expires_at, project, roles, catalog } = parsed.data.token;
  return {
    value,
    expires: Date.parse(expires_at),
    project,
    roles: roles.map(({ name }) => name),
    catalogue: catalog,
  };
}

/** Address of a service for this cloud's region and interface, without a slash at its end. */
export function endpointOf({ catalogue }: Token, type: string, { region, interface: side }: Cloud): string {
  const types = ALIASES[type] ?? [type];
  for (const entry of catalogue)
    if (types.includes(entry.type))
      for (const endpoint of entry.endpoints)
        if (
          endpoint.interface === side &&
          (region === "" || region === (endpoint.region_id ?? endpoint.region))
        )
          return endpoint.url.replace(/\/+$/, "");
  const known = [...new Set(catalogue.map((entry) => entry.type))].sort();
  throw new OpenStackError({ code: "NO_SERVICE", service: type, region, known });
}

function requestOf(credentials: Credentials): unknown {
  switch (credentials.kind) {
    case "password": {
      const user = { ...userOf(credentials.user), password: credentials.password };
      return {
        auth: { identity: { methods: ["password"], password: { user } }, ...scopeOf(credentials.scope) },
      };
    }
    case "applicationCredential": {
      const { id, name, secret, user } = credentials;
      const credential =
        id === undefined ? { name, secret, user: user === undefined ? {} : userOf(user) } : { id, secret };
      // The credential is bound to its project: a scope beside it is refused.
      return {
        auth: { identity: { methods: ["application_credential"], application_credential: credential } },
      };
    }
    case "token":
      return {
        auth: {
          identity: { methods: ["token"], token: { id: credentials.token } },
          ...scopeOf(credentials.scope),
        },
      };
  }
}

function userOf({ id, name, domain }: { id?: string; name?: string; domain?: NamedOrId }): object {
  return id !== undefined ? { id } : { name, domain };
}

function scopeOf(scope: Scope): object {
  if (scope.kind === "unscoped") return {};
  return {
    scope: { project: "id" in scope ? { id: scope.id } : { name: scope.name, domain: scope.domain } },
  };
}

/** Reason in an error document: every service has its own form. At most 500 characters of it. */
export function detailOf(text: string): string {
  const document = jsonOf(text);
  const found = textIn(document, REASONS) ?? textIn(document, KINDS) ?? text.replace(/<[^>]*>/g, " ");
  const line = found.replace(/\s+/g, " ").trim();
  return line === "" ? "no reason given" : line.length > 500 ? `${line.slice(0, 500)} ...` : line;
}

const REASONS: readonly string[] = ["message", "detail", "NeutronError"];
/** Of an error without a reason: Heat's MessagingTimeout. */
const KINDS: readonly string[] = ["type", "explanation", "title"];

function textIn(document: unknown, keys: readonly string[]): string | undefined {
  if (typeof document !== "object" || document === null) return undefined;
  for (const value of Object.values(document)) {
    const inner = textIn(value, keys);
    if (inner !== undefined) return inner;
  }
  for (const [key, value] of Object.entries(document))
    if (keys.includes(key) && typeof value === "string" && value !== "") return value;
  return undefined;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
