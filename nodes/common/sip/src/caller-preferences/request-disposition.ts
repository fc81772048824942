import type { SipMessage } from "../message/message.ts";

/** How a caller wants contacts to be tried: RFC 3841 §9.1. Each is absent unless it is said. */
export interface RequestDisposition {
  readonly fork?: boolean;
  readonly search?: "parallel" | "sequential";
}

const NOTHING_SAID: RequestDisposition = {};

/**
 * The directives that a forking proxy follows. The others ask for what is done anyway (proxy, no-recurse, no-queue, cancel) or may
 * be left (redirect, recurse, queue, no-cancel).
 */
export function requestDisposition(request: SipMessage): RequestDisposition {
  if (!request.has("Request-Disposition")) return NOTHING_SAID;
  const said = new Set(request.values("Request-Disposition").map((one) => one.toLowerCase()));
  return {
    ...(said.has("no-fork") ? { fork: false } : {}),
    ...(said.has("sequential")
      ? { search: "sequential" as const }
      : said.has("parallel")
        ? { search: "parallel" as const }
        : {}),
  };
}
