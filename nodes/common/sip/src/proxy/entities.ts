import type { SipMessage } from "../message/message.ts";
import type { Uri } from "../message/uri.ts";
import { nextHop } from "./next-hop.ts";
import type { Own } from "./own-route.ts";
import type { Destination, TransactionUser } from "./transaction-user.ts";

/** The functional entities of one process, and which of them a URI means. */
export class Entities implements Own {
  readonly #entities: readonly TransactionUser[];

  constructor(sides: readonly { readonly entity: TransactionUser }[]) {
    this.#entities = [...new Set(sides.map((side) => side.entity))];
  }

  has(uri: Uri): boolean {
    return this.accepting(uri) !== undefined;
  }

  /** Who takes requests to that URI; undefined: it leads elsewhere. */
  accepting(uri: Uri): TransactionUser | undefined {
    return this.#entities.find((entity) => entity.accepts(uri));
  }

  /** Who of this process is the next hop; undefined: the request leaves it. */
  next(request: SipMessage, destination: Destination): TransactionUser | undefined {
    if (destination.kind !== "uri") return undefined;
    const uri = destination.uri ?? nextHop(request);
    return uri === undefined ? undefined : this.accepting(uri);
  }
}
