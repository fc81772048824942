import type { SipMessage } from "../message/message.ts";
import { parseUri, type Uri } from "../message/uri.ts";

/** Host and port of one of our URIs, compared without parameters. */
export class OwnUris {
  readonly #hosts: ReadonlySet<string>;

  constructor(uris: readonly string[]) {
    this.#hosts = new Set(uris.map((text) => hostPort(parseUri(text))));
  }

  has(uri: Uri): boolean {
    return (uri.scheme === "sip" || uri.scheme === "sips") && this.#hosts.has(hostPort(uri));
  }
}

function hostPort(uri: Uri | undefined): string {
  return uri === undefined ? "" : `${uri.host}:${uri.port ?? ""}`;
}

/** Which URIs are ours. */
export interface Own {
  has(uri: Uri): boolean;
}

/** URI of the top Route when it is ours. */
export function ownTopRoute(request: SipMessage, own: Own): Uri | undefined {
  const uri = request.routes[0]?.uri;
  return uri !== undefined && own.has(uri) ? uri : undefined;
}

/** Takes every Route value of ours off the top (RFC 3261 §16.4). */
export function popOwnRoutes(request: SipMessage, { own }: { readonly own: Own }): void {
  while (ownTopRoute(request, own) !== undefined) request.popRoute();
}
