import { nextHop, type RequestOriginator, responseTo } from "@ims/sip";
import type { Mmtel } from "./mmtel.ts";

/** Sends requests of our own; third-party REGISTER to the application server of this process is a function call. */
export function telling(
  mmtel: Mmtel | undefined,
  originate: RequestOriginator["originate"],
): RequestOriginator["originate"] {
  if (mmtel === undefined) return originate;
  return (request, destination, handler) => {
    const uri = destination.kind === "uri" ? (destination.uri ?? nextHop(request)) : undefined;
    if (request.method !== "REGISTER" || uri === undefined || !mmtel.accepts(uri))
      return originate(request, destination, handler);
    const answer = (status: number): void => handler.onFinal(responseTo(request, status), true);
    mmtel.noteRegistration(request).then(
      () => answer(200),
      () => answer(500),
    );
    return { request, done: true, flow: undefined, cancel: () => undefined };
  };
}
