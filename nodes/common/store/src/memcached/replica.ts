import type { Place } from "./placement.ts";

/**
 * State of one item as it was seen on one connection: a guard for the next write. CAS numbers start again when a server
 * does, so a token is worth nothing on another connection.
 */
export interface Token {
  readonly connection: object;
  readonly cas: number | "absent";
}

export type ReadOutcome =
  | { readonly kind: "item"; readonly bytes: Buffer; readonly seconds: number; readonly token: Token }
  | { readonly kind: "missing"; readonly token: Token }
  | { readonly kind: "away"; readonly cause: Error };

export type WriteOutcome =
  | { readonly kind: "accepted"; readonly token: Token }
  /** The item is no longer as the token says. */
  | { readonly kind: "refused" }
  /** The connection of the token is gone; nothing was sent. */
  | { readonly kind: "stale" }
  /** `sent`: it may have been, or may yet be, carried out. */
  | { readonly kind: "away"; readonly sent: boolean; readonly cause: Error };

/** One server as the replication sees it: items that change under a guard only. Nothing rejects. */
export interface Replica extends Place {
  /** Worth asking. */
  readonly up: boolean;
  read(key: string): Promise<ReadOutcome>;
  write(key: string, bytes: Uint8Array, seconds: number, token: Token): Promise<WriteOutcome>;
}
