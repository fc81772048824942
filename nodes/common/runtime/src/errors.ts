/** What every fault of the house has: a code from a closed union, facts as fields beside it. */
export interface Fault {
  readonly code: string;
}

/** A broken promise with a code to match on. Packages derive one class for their union of faults. */
export abstract class ImsError<F extends Fault> extends Error {
  readonly detail: F;

  constructor(detail: F, options?: { readonly cause?: unknown; readonly message?: string }) {
    super(
      options?.message ?? describe(detail),
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.detail = detail;
  }
}

/** One line: the code, then the facts in the order in which they were given. */
function describe(detail: Fault): string {
  const facts = Object.entries(detail)
    .filter(([name]) => name !== "code")
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [detail.code, ...facts].join(" ");
}

/** What was caught, as an Error: JavaScript may throw anything. */
export function asError(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}
