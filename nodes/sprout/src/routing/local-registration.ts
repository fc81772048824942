import { nextHop, type RequestOriginator, responseTo, type SipMessage, type Uri } from "@ims/sip";

/** An application server of this process. */
export interface LocalServer {
  accepts(uri: Uri): boolean;
  /** A third-party REGISTER that comes inside the process; default: it is nothing to it. */
  noteRegistration?(register: SipMessage): Promise<void>;
}

/** Sends requests of our own; third-party REGISTER to an application server of this process is a function call. */
export function telling(
  servers: readonly LocalServer[],
  originate: RequestOriginator["originate"],
): RequestOriginator["originate"] {
  if (servers.length === 0) return originate;
  return (request, destination, handler) => {
    const uri = destination.kind === "uri" ? (destination.uri ?? nextHop(request)) : undefined;
    const server =
      request.method !== "REGISTER" || uri === undefined
        ? undefined
        : servers.find((each) => each.accepts(uri));
    if (server === undefined) return originate(request, destination, handler);
    const answer = (status: number): void => handler.onFinal(responseTo(request, status), true);
    (server.noteRegistration?.(request) ?? Promise.resolve()).then(
      () => answer(200),
      () => answer(500),
    );
    return { request, done: true, flow: undefined, cancel: () => undefined };
  };
}
