import { z } from "zod";

/** How a project of a cloud is entered. Secrets are in here: never print it. */
export type Credentials =
  | {
      readonly kind: "password";
      readonly user: { readonly id?: string; readonly name?: string; readonly domain?: NamedOrId };
      readonly password: string;
      readonly scope: Scope;
    }
  | {
      readonly kind: "applicationCredential";
      readonly id?: string;
      readonly name?: string;
      readonly user?: { readonly id?: string; readonly name?: string; readonly domain?: NamedOrId };
      readonly secret: string;
    }
  | { readonly kind: "token"; readonly token: string; readonly scope: Scope };

export type NamedOrId = { readonly id: string } | { readonly name: string };

export type Scope =
  | { readonly kind: "project"; readonly id: string }
  | { readonly kind: "project"; readonly name: string; readonly domain: NamedOrId }
  | { readonly kind: "unscoped" };

export interface Cloud {
  /** Of clouds.yaml; "environment" for OS_* variables. */
  readonly name: string;
  /** Ends with /v3. */
  readonly authUrl: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly interface: "public" | "internal" | "admin";
  readonly verify: boolean;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
}

const text = z.union([z.string(), z.number()]).transform(String);

/** One entry of clouds.yaml, as far as it is understood here; other keys are for other programs. */
export const cloudEntry = z.object({
  auth: z.record(z.string(), z.unknown()).default({}),
  auth_type: text.optional(),
  region_name: text.optional(),
  interface: text.optional(),
  endpoint_type: text.optional(),
  verify: z.boolean().optional(),
  cacert: text.optional(),
  cert: text.optional(),
  key: text.optional(),
});
export type CloudEntry = z.output<typeof cloudEntry>;

export type CloudReading =
  | { readonly kind: "cloud"; readonly cloud: Cloud }
  | { readonly kind: "bad"; readonly problem: string };

/** An entry of clouds.yaml, or OS_* variables in that form; `where` begins every problem. */
export function cloudOf(name: string, entry: CloudEntry, where: string): CloudReading {
  const bad = (problem: string): CloudReading => ({ kind: "bad", problem: `${where}: ${problem}` });
  const auth = new Map(
    Object.entries(entry.auth).flatMap(([key, value]) =>
      (typeof value === "string" && value !== "") || typeof value === "number"
        ? [[key, String(value)] as const]
        : [],
    ),
  );
  const url = auth.get("auth_url");
  if (url === undefined) return bad("auth_url is missing");
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return bad("auth_url is no http or https URL");
  if (new URL(url).password !== "") return bad("auth_url has a password in it; give it as password");
  const seen = credentialsOf(auth, entry.auth_type ?? "");
  if (typeof seen === "string") return bad(seen);
  const side = (entry.interface ?? entry.endpoint_type ?? "public").replace(/URL$/, "");
  if (side !== "public" && side !== "internal" && side !== "admin")
    return bad(`interface ${side} is none of public, internal, admin`);
  const base = url.replace(/\/+$/, "").replace(/\/v2\.0$/, "");
  return {
    kind: "cloud",
    cloud: {
      name,
      authUrl: base.endsWith("/v3") ? base : `${base}/v3`,
      credentials: seen,
      region: entry.region_name ?? "",
      interface: side,
      verify: entry.verify ?? true,
      ...(entry.cacert === undefined ? {} : { caFile: entry.cacert }),
      ...(entry.cert === undefined ? {} : { certificateFile: entry.cert }),
      ...(entry.key === undefined ? {} : { keyFile: entry.key }),
    },
  };
}

function credentialsOf(auth: ReadonlyMap<string, string>, type: string): Credentials | string {
  const named = (idKey: string, nameKey: string): NamedOrId | undefined => {
    const id = auth.get(idKey) ?? auth.get(`default_${idKey.replace(/^(?:user|project)_/, "")}`);
    const name = auth.get(nameKey) ?? auth.get(`default_${nameKey.replace(/^(?:user|project)_/, "")}`);
    return id !== undefined ? { id } : name !== undefined ? { name } : undefined;
  };
  const userDomain = named("user_domain_id", "user_domain_name");
  const user = {
    ...(auth.has("user_id") ? { id: auth.get("user_id") ?? "" } : {}),
    ...(auth.has("username") ? { name: auth.get("username") ?? "" } : {}),
    ...(userDomain === undefined ? {} : { domain: userDomain }),
  };
  const hasUser = user.id !== undefined || (user.name !== undefined && userDomain !== undefined);
  const secret = auth.get("application_credential_secret");
  if (type === "v3applicationcredential" || (type === "" && secret !== undefined)) {
    const id = auth.get("application_credential_id");
    const name = auth.get("application_credential_name");
    if (secret === undefined) return "application_credential_secret is missing";
    if (id !== undefined) return { kind: "applicationCredential", id, secret };
    if (name === undefined) return "application_credential_id is missing";
    if (!hasUser) return "an application credential by name needs user_id, or username and user_domain_name";
    return { kind: "applicationCredential", name, user, secret };
  }
  const projectId = auth.get("project_id") ?? auth.get("tenant_id");
  const projectName = auth.get("project_name") ?? auth.get("tenant_name");
  const projectDomain = named("project_domain_id", "project_domain_name");
  let scope: Scope = { kind: "unscoped" };
  if (projectId !== undefined) scope = { kind: "project", id: projectId };
  else if (projectName !== undefined) {
    if (projectDomain === undefined) return "project_name needs project_domain_name or project_domain_id";
    scope = { kind: "project", name: projectName, domain: projectDomain };
  }
  if (type === "token" || type === "v3token") {
    const token = auth.get("token");
    return token === undefined ? "token is missing" : { kind: "token", token, scope };
  }
  if (type !== "" && type !== "password" && type !== "v3password")
    return `auth_type ${type} is none of password, v3applicationcredential, v3token`;
  const password = auth.get("password");
  if (password === undefined) return "password is missing (or an application credential)";
  if (!hasUser) return "username and user_domain_name are missing";
  if (scope.kind === "unscoped") return "project_name is missing: nothing can be made without a project";
  return { kind: "password", user, password, scope };
}
