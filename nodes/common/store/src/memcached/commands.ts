/** Longer lifetimes are points in time for memcached. */
const MONTH_SECONDS = 2_592_000;

/** Looks an item up with its value, lifetime and CAS number. */
export function metaGet(key: string, opaque: number): string {
  return `mg ${key} v c t O${opaque}\r\n`;
}

/** Stores `bytes`, which follow with a line end, where the server holds `cas`; "absent" adds. */
export function metaSet(
  key: string,
  bytes: number,
  lifetime: string,
  cas: number | "absent" | "any",
  opaque: number,
): string {
  const guard = cas === "any" ? "" : cas === "absent" ? " ME" : ` C${cas}`;
  return `ms ${key} ${bytes} T${lifetime} c O${opaque}${guard}\r\n`;
}

/** Removes an item where the server holds `cas`. */
export function metaDelete(key: string, cas: number | "any", opaque: number): string {
  return `md ${key} O${opaque}${cas === "any" ? "" : ` C${cas}`}\r\n`;
}

/** Adds to a number, which starts at `delta` and then lives for `seconds`; the reply holds it. */
export function metaArithmetic(key: string, delta: number, seconds: number, opaque: number): string {
  return `ma ${key} N${seconds} J${delta} D${delta} v O${opaque}\r\n`;
}

/** Lifetime as memcached wants it. `now` is wall-clock ms. */
export function lifetimeToken(seconds: number, now: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return String(whole <= MONTH_SECONDS ? whole : Math.floor(now / 1000) + whole);
}
