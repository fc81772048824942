import { Cause } from "./history-info.ts";

/** RFC 7544 §4.2. */
const REASONS: Readonly<Record<Cause, string>> = {
  [Cause.UNCONDITIONAL]: "unconditional",
  [Cause.NOT_REGISTERED]: "unknown",
  [Cause.NO_REPLY]: "no-answer",
  [Cause.DEFLECTION_IMMEDIATE]: "deflection",
  [Cause.BUSY]: "user-busy",
  [Cause.DEFLECTION_WHILE_ALERTING]: "deflection",
  [Cause.NOT_REACHABLE]: "unavailable",
};

/** Diversion value of who diverts, which goes above those before: RFC 5806 §5. */
export function diversionHeader(diverting: string, cause: Cause, reveals: boolean): string {
  return `<${diverting}>;reason=${REASONS[cause]};counter=1${reveals ? "" : ";privacy=full"}`;
}
