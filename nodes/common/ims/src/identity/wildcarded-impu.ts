import {
  compileExtendedRegularExpression,
  type ExtendedRegularExpression,
} from "../regular-expression/extended.ts";
import { canonicalImpu } from "./impu.ts";

/** A wildcarded public user identity or service identity: TS 23.003 §13.4A and §13.4B. */
export type WildcardedImpu = {
  /** As provisioned: scheme and host in lower case, the expression between the two "!" untouched. */
  readonly text: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly expression: ExtendedRegularExpression;
};

/** Whether the text has the form of a wildcarded identity; it may still fail to parse. */
export function isWildcarded(text: string): boolean {
  const first = text.indexOf("!");
  return first > 0 && text.lastIndexOf("!") > first;
}

/**
 * Reads `sip:lists-!.*!@example.com` or `tel:+1650!.{7}!`. Undefined when the identity around the expression is not
 * one, or the expression is outside the linear-time subset.
 */
export function parseWildcardedImpu(text: string): WildcardedImpu | undefined {
  if (text.length > 512 || !isWildcarded(text)) return undefined;
  const first = text.indexOf("!");
  const last = text.lastIndexOf("!");
  const expression = compileExtendedRegularExpression(text.slice(first + 1, last));
  if (expression === undefined) return undefined;
  // A digit stands for the expression while the rest is brought to canonical form.
  const around = canonicalImpu(`${text.slice(0, first)}0${text.slice(last + 1)}`);
  if (around === undefined) return undefined;
  const at = around.indexOf("@");
  const userEnd = at < 0 ? around.length : at;
  const suffixInUser = text.slice(last + 1).split("@")[0] ?? "";
  const userSuffix = at < 0 ? (suffixInUser.split(";")[0] ?? "") : suffixInUser;
  const hole = userEnd - userSuffix.length - 1;
  if (hole < 4 || around[hole] !== "0") return undefined;
  const prefix = around.slice(0, hole);
  const suffix = around.slice(hole + 1);
  return { text: `${prefix}!${text.slice(first + 1, last)}!${suffix}`, prefix, suffix, expression };
}

/** Whether a canonical identity lies in the range of the wildcard. Time is linear in the identity's length. */
export function matchesWildcard(wildcard: WildcardedImpu, canonical: string): boolean {
  const { prefix, suffix } = wildcard;
  if (canonical.length < prefix.length + suffix.length) return false;
  if (!canonical.startsWith(prefix) || !canonical.endsWith(suffix)) return false;
  return wildcard.expression.matches(canonical.slice(prefix.length, canonical.length - suffix.length));
}
