import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { z } from "zod";
import { isDnsName, LABEL } from "./pool-name.ts";

/** Of the format; a file of a later one is not read. */
export const POOLS_VERSION = 1;

/** Longest pools file, in characters: what is read and checked within one turn of the loop. */
export const MAX_POOLS_LENGTH = 256 * 1024;

const label = z.string().regex(LABEL, "a DNS label in lower case");
const port = z.int().min(1).max(65535);
const address = z.string().refine((text) => isIP(text) !== 0, "an IPv4 or IPv6 address");

/** A port that every member of the pool has open, found by SRV (RFC 2782). */
const service = z.object({
  /** `icscf` of the pool sprout is found as icscf.sprout.<domain>; without a name the service is the pool's own. */
  name: label.optional(),
  protocol: z.enum(["sip", "sips", "diameter", "diameters"]),
  transport: z.enum(["tcp", "udp"]),
  port,
});

const member = z.object({
  name: label,
  addresses: z.array(address).min(1).max(8),
  /** Of its management port, where that is none of the others. */
  management: address.optional(),
  /** Where it is, of a core over two sites: nodes of the other site ask it when none of their own is in service. */
  site: label.optional(),
  weight: z.int().min(0).max(65535).default(1),
  /** It takes nothing new: left out of its pool's answers, still found by its own name. */
  draining: z.boolean().default(false),
  /** Ports that differ from those of the services, by their number there. */
  ports: z.record(z.string().regex(/^[0-9]{1,5}$/), port).optional(),
});

const pool = z
  .object({ name: label, services: z.array(service).max(32), members: z.array(member).max(1000) })
  .superRefine(({ services, members }, context) => {
    const twice = (what: string, all: readonly string[]): void => {
      const again = all.find((one, index) => all.indexOf(one) !== index);
      if (again !== undefined) context.addIssue({ code: "custom", message: `${what} ${again} twice` });
    };
    twice(
      "service",
      services.map((one) => `_${one.protocol}._${one.transport}${one.name ? `.${one.name}` : ""}`),
    );
    twice(
      "member",
      members.map((one) => one.name),
    );
  });

/** Who is in which pool: what the runtime resolver answers from before it asks the DNS. */
export const poolsFileSchema = z.object({
  version: z.literal(POOLS_VERSION),
  /** Home domain: a pool is found as <pool>.<domain>, a member as <member>.<pool>.<domain>. */
  domain: z.string().toLowerCase().refine(isDnsName, "a domain name"),
  pools: z.array(pool).max(64),
});
export type PoolsFile = z.output<typeof poolsFileSchema>;
/** As it may be written: without what has a default. */
export type PoolsFileInput = z.input<typeof poolsFileSchema>;
export type PoolEntry = PoolsFile["pools"][number];
export type MemberEntry = PoolEntry["members"][number];

export type PoolsFileResult =
  | { readonly kind: "pools"; readonly pools: PoolsFile }
  /** What is wrong with it, in one line. */
  | { readonly kind: "invalid"; readonly problem: string };

export function parsePoolsFile(text: string): PoolsFileResult {
  if (text.length > MAX_POOLS_LENGTH) return { kind: "invalid", problem: "is too long" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "invalid", problem: "is not JSON" };
  }
  const version = typeof json === "object" && json !== null && "version" in json ? json.version : undefined;
  if (typeof version === "number" && version > POOLS_VERSION)
    return {
      kind: "invalid",
      problem: `is of version ${version}; version ${POOLS_VERSION} is what this release reads`,
    };
  const parsed = poolsFileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { kind: "invalid", problem: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "bad value"}` };
  }
  const names = parsed.data.pools.map(({ name }) => name);
  const again = names.find((name, index) => names.indexOf(name) !== index);
  return again === undefined
    ? { kind: "pools", pools: parsed.data }
    : { kind: "invalid", problem: `pools: ${again} twice` };
}

/** Replaces a pools file in one step. Throws for what is none. */
export async function writePoolsFile(path: string, pools: PoolsFileInput): Promise<void> {
  await replaceFile(path, `${JSON.stringify(poolsFileSchema.parse(pools), undefined, 2)}\n`);
}

/** Replaces a file in one step: a reader sees the old or the new one, whole, also after a crash. `owner`: it gets exactly that mode, too. */
export async function replaceFile(
  path: string,
  text: string,
  mode = 0o644,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const beside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    const file = await open(beside, "wx", mode);
    try {
      await file.writeFile(text);
      // The umask must not take away from whom the file was for; only the superuser gives files away.
      if (owner !== undefined) await file.chmod(mode);
      if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
