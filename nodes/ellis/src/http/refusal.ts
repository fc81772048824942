/** A request that is refused; thrown inside routes, written by the error handler as Clearwater's Ellis wrote it. */
export class Refusal extends Error {
  readonly status: number;
  readonly detail: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    reason: string,
    more: {
      readonly detail?: Readonly<Record<string, string>>;
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(reason, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = status;
    this.detail = more.detail ?? {};
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

const RETRY_AFTER_SECONDS = 2;

/** What was asked for may be asked again. */
export const storeAway = (): Refusal =>
  new Refusal(503, "The accounts cannot be read or written now", { retryAfterSeconds: RETRY_AFTER_SECONDS });

export const tooMany = (status: 429 | 503, retryAfterSeconds = 60): Refusal =>
  new Refusal(status, "Too many requests; try again later", { retryAfterSeconds });

export const busy = (): Refusal =>
  new Refusal(503, "Too many passwords are being checked; try again", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

/** `problem` of homestead or homer. */
export const upstream = (problem: string): Refusal =>
  new Refusal(502, "Upstream request failed.", { detail: { problem: problem.slice(0, 300) } });
