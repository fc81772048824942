import type { SipMessage } from "@ims/sip";
import type { IbcfModules } from "./modules.ts";

/** What stood in the Route values of ours that were taken off. */
export interface OwnRoutes {
  /** Of the peer behind `ibcf.`, "" when no value names one. */
  readonly peerName: string;
  /** Token behind `ibcf.` in a value of the side of the peers; undefined when there was none. */
  readonly token: string | undefined;
  readonly count: number;
}

/** Takes the first Route values off that are ours (RFC 3261 §16.4). */
export function popOwnRoutes(request: SipMessage, { own }: Pick<IbcfModules, "own">): OwnRoutes {
  let peerName = "";
  let token: string | undefined;
  let count = 0;
  for (;;) {
    const uri = request.routes[0]?.uri;
    const side = uri === undefined ? undefined : own.sideOf(uri);
    if (uri === undefined || side === undefined) return { peerName, token, count };
    request.popRoute();
    count++;
    const detail = uri.user.startsWith("ibcf.") ? uri.user.slice(5) : "";
    if (side === "core") peerName = detail;
    else if (detail !== "") token = detail;
  }
}
