/** Server-Capabilities: TS 29.228 §6.7, TS 29.229 §6.3.4. Numbers are assigned by the operator. */
export type ServerCapabilities = {
  readonly mandatory: readonly number[];
  readonly optional: readonly number[];
  /** SIP URIs the user may be given to whatever their capabilities. */
  readonly serverNames: readonly string[];
};

/** An S-CSCF the I-CSCF can choose. */
export type OfferedScscf = {
  readonly uri: string;
  readonly capabilities: readonly number[];
  readonly priority: number;
};

/**
 * S-CSCFs that may serve the user, best first (TS 29.228 §6.1.1, §6.7): named ones, then those with every mandatory
 * capability, by number of optional capabilities, then by priority (lower first). `refused` are left out.
 */
export function rankScscfs(
  wanted: ServerCapabilities,
  offered: readonly OfferedScscf[],
  refused: ReadonlySet<string> = new Set(),
): readonly string[] {
  const named = wanted.serverNames.filter((name) => !refused.has(name));
  const score = (one: OfferedScscf): number =>
    wanted.optional.reduce((sum, capability) => sum + (one.capabilities.includes(capability) ? 1 : 0), 0);
  const able = offered
    .filter(({ uri }) => !refused.has(uri) && !named.includes(uri))
    .filter(({ capabilities }) => wanted.mandatory.every((capability) => capabilities.includes(capability)))
    .map((one) => ({ one, optional: score(one) }))
    .sort((a, b) => b.optional - a.optional || a.one.priority - b.one.priority)
    .map(({ one }) => one.uri);
  return [...named, ...able];
}
