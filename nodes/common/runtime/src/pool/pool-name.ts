/** A DNS label in lower case (RFC 1123 §2.1). */
export const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Is this a domain name in lower case, without the final dot? */
export function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => LABEL.test(label));
}

/** What the name of a pool member says: sprout-2.sprout.example.com is a member of sprout.example.com. */
export interface MemberName {
  readonly member: string;
  /** Domain name of the pool. */
  readonly pool: string;
}

/**
 * Reads a member's name by its form, <pool>-<number>.<pool>.<domain>, so that it means the same with a pools file, with DNS
 * and after the member has left. Undefined for all other names.
 */
export function memberNameOf(host: string): MemberName | undefined {
  const name = host.toLowerCase().replace(/\.$/, "");
  const dot = name.indexOf(".");
  const second = name.indexOf(".", dot + 1);
  if (dot < 0 || second < 0) return undefined;
  const member = name.slice(0, dot);
  const pool = name.slice(dot + 1, second);
  const number = member.slice(pool.length + 1);
  const isMember = member.startsWith(`${pool}-`) && /^[0-9]{1,5}$/.test(number) && LABEL.test(pool);
  return isMember && isDnsName(name) ? { member, pool: name.slice(dot + 1) } : undefined;
}
