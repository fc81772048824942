/** A request is not taken now: 503 with Retry-After (RFC 9110 §15.6.4). */
export class HttpBusyError extends Error {
  readonly statusCode = 503;
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super("too much to do; try again later");
    this.name = "HttpBusyError";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
