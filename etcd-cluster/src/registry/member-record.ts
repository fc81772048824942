import { isIP } from "node:net";
import { z } from "zod";

const label = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "a DNS label in lower case");
const address = z.string().refine((text) => isIP(text) !== 0, "an IPv4 or IPv6 address");
const port = z.int().min(1).max(65535);

/** What a member says of itself. */
export const memberRecordSchema = z.object({
  pool: label,
  name: label,
  addresses: z.array(address).min(1).max(8),
  /** Of its management port, where that is none of the others. */
  management: address.optional(),
  /** draining: it takes nothing new. */
  state: z.enum(["up", "draining"]),
  weight: z.int().min(0).max(65535).optional(),
  /** Ports that differ from those of the pool's services, by their number there. */
  ports: z.record(z.string().regex(/^[0-9]{1,5}$/), port).optional(),
});
export type MemberRecord = Readonly<z.output<typeof memberRecordSchema>>;

/** Where the members of a site stand: <root>/members/<pool>/<name>. */
export function membersPrefix(root: string): string {
  return `${root}/members/`;
}

export function memberKey(
  root: string,
  { pool, name }: { readonly pool: string; readonly name: string },
): string {
  return `${membersPrefix(root)}${pool}/${name}`;
}

/** Undefined for what is none, or stands under another member's key. */
export function readMember(root: string, key: string, value: string): MemberRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return undefined;
  }
  const parsed = memberRecordSchema.safeParse(json);
  return parsed.success && memberKey(root, parsed.data) === key ? parsed.data : undefined;
}
