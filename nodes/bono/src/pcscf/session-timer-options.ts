import { LEAST_SESSION_INTERVAL } from "@ims/sip";
import { z } from "zod";

const interval = (what: string) =>
  z
    .int()
    .max(86_400)
    .refine(
      (seconds) => seconds === 0 || seconds >= LEAST_SESSION_INTERVAL,
      `0 or at least ${LEAST_SESSION_INTERVAL} (RFC 4028 §4)`,
    )
    .default(0)
    .describe(what);

/** Session timers, RFC 4028 §8. */
export const sessionTimerOptions = {
  sessionExpires: interval("session interval that is asked for where a caller asks for none, s; 0: none is"),
  maxSessionExpires: interval("longer session intervals are shortened to this, s; 0: none are"),
  minSessionExpires: interval(
    "shorter session intervals are answered 422, or raised for callers without session timers, s; 0: nothing is done about them unless another of these options is set",
  ),
};
