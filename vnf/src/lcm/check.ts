/** One thing that was looked up before anything is made. */
export interface Check {
  /** image, flavour, zone, hosts, quota ... */
  readonly check: string;
  readonly verdict: "ok" | "refused" | "unknown" | "warning";
  readonly what: string;
  readonly remedy?: string;
}

export function refusalsIn(checks: readonly Check[]): Check[] {
  return checks.filter(({ verdict }) => verdict === "refused");
}

export const ok = (check: string, what: string): Check => ({ check, verdict: "ok", what });
export const warn = (check: string, what: string, remedy?: string): Check => ({
  check,
  verdict: "warning",
  what,
  ...(remedy === undefined ? {} : { remedy }),
});
export const refuse = (check: string, what: string, remedy: string): Check => ({
  check,
  verdict: "refused",
  what,
  remedy,
});
