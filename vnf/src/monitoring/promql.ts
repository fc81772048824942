/** Label matchers by label: a value, or a regular expression after a tilde. */
export type Match = Readonly<Record<string, string>>;

/** Series of what a dashboard shows: those of the domains and instances chosen at its top. */
export function series(metric: string, match: Match = {}): string {
  const matchers = Object.entries(match).map(([label, value]) =>
    value.startsWith("~") ? `${label}=~"${value.slice(1)}"` : `${label}="${value}"`,
  );
  return `${metric}{${['domain=~"$domain"', 'instance=~"$instance"', ...matchers].join(",")}}`;
}

/** Events a second, added up but for the labels `by`. */
export function perSecond(metric: string, match: Match = {}, by: readonly string[] = []): string {
  return sum(`rate(${series(metric, match)}[$__rate_interval])`, by);
}

/** A gauge, added up but for the labels `by`. */
export function total(metric: string, match: Match = {}, by: readonly string[] = []): string {
  return sum(series(metric, match), by);
}

/** What part of `of` is `part`, 0 to 1; nothing where there was nothing. */
export function share(part: string, of: string): string {
  return `${part} / (${of} > 0)`;
}

/** A quantile of a histogram, over all but the labels `by`. */
export function quantile(
  q: number,
  histogram: string,
  match: Match = {},
  by: readonly string[] = [],
): string {
  return `histogram_quantile(${q}, ${perSecond(`${histogram}_bucket`, match, ["le", ...by])})`;
}

function sum(expression: string, by: readonly string[]): string {
  return by.length === 0 ? `sum(${expression})` : `sum by (${by.join(", ")}) (${expression})`;
}
