import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { peerRange } from "@ims/api";
import { z } from "zod";

export const ROLES = ["bono", "sprout", "homestead", "vellum", "ellis"] as const;
export type Role = (typeof ROLES)[number];

const address = z.string().refine((text) => isIP(text) !== 0, "must be an IPv4 or IPv6 address");
const network = z
  .string()
  .refine((text) => peerRange(text) !== undefined, "must be a network such as 10.20.3.0/24");
const label = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be a DNS label in lower case");

/** What user data says of this machine: /etc/tidewater/member.json. */
export const memberSchema = z
  .object({
    role: z.enum(ROLES, { error: `must be one of ${ROLES.join(", ")}` }),
    pool: label,
    index: z.int().min(0).max(9999),
    cell: z.int().min(0).max(9999),
    name: label,
    domain: z.string().regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i, "must be a domain name"),
    address,
    managementAddress: address.optional(),
    /** Where etcd answers: the first members of vellum. */
    seeds: z.array(address).min(1).max(9).optional(),
    /** Of sprout: addresses of bono on Mw, where the core tells the DMZ. */
    edges: z.array(address).max(64).default([]),
    /** Whether etcd speaks TLS, for which machines are let in by the join token; the same on all. */
    etcdTls: z.enum(["on", "off"]).default("off"),
    /** How long seeds, files and readiness are waited for, s. */
    waitSeconds: z.int().min(10).max(3600).default(900),
    /** Of homestead: whether ralf runs beside it. */
    charging: z.enum(["on", "off"]).default("off"),
    /** Of homestead: whether homer runs beside it. */
    telephony: z.enum(["on", "off"]).default("off"),
    /** Authentication proxies that homer believes: addresses or networks. */
    utProxies: z
      .array(z.string().regex(/^[0-9A-Fa-f.:]+(?:\/[0-9]{1,3})?$/, "must be an address or a network"))
      .max(64)
      .default([]),
    /** Of bono: whether coturn runs beside it, and the networks that it relays nothing to, beside those that this machine is on. */
    turn: z.enum(["on", "off"]).default("off"),
    turnDenied: z.array(network).max(64).default([]),
    /** Of vellum: whether it runs Cassandra. Default: when the image has it. */
    cassandra: z.enum(["on", "off"]).optional(),
    /** For memcached, MB. Default: half of the memory. */
    memcachedMegabytes: z.int().min(64).max(1_048_576).optional(),
  })
  .superRefine(({ role, pool, index, name, seeds }, context) => {
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (name !== `${pool}-${index}`) issue("name", `must be ${pool}-${index}, as pool and index say`);
    if (pool !== role) issue("pool", `must be ${role}, as the role`);
    if (role !== "bono" && seeds === undefined)
      issue("seeds", `a ${role} must be told where etcd answers: [address, ...]`);
    if (seeds !== undefined && new Set(seeds).size !== seeds.length) issue("seeds", "one address twice");
  });
export type Member = z.output<typeof memberSchema>;

/** Something that the operator has to put right. `remedy` says how. */
export class MemberError extends Error {
  override readonly name = "MemberError";
  readonly remedy: string;
  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

const REMEDY = "correct the user data on the config drive (heat-templates/user-data) and rebuild the server";

/** Throws MemberError with file, place and remedy. */
export function readMember(path: string): Member {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "ENOENT")
      throw new MemberError(
        `there is no ${path}: cloud-init found no config drive, or user data that does not write it`,
        "give the server a config drive with the user data of its role (heat-templates/user-data)",
      );
    throw new MemberError(`${path} cannot be read: ${code}`, REMEDY);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // What V8 says may quote the file; it holds no secret.
    throw new MemberError(`${path} is not JSON: ${(error as Error).message}`, REMEDY);
  }
  const parsed = memberSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: where, message }) =>
    where.length === 0 ? message : `${where.join(".")}: ${message}${valueAt(json, where)}`,
  );
  throw new MemberError(`${path}: ${problems.join("; ")}`, REMEDY);
}

function valueAt(json: unknown, path: readonly PropertyKey[]): string {
  let value = json;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "";
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return ` (it is ${(JSON.stringify(value) ?? "nothing").slice(0, 80)})`;
}
