/** How a torture message and what is expected of it are written down: RFC 4475 and RFC 5118. */

/** What a reader must find in an accepted message. Text is latin1: one char, one byte. */
export interface Facts {
  /** Of a request. */
  readonly method?: string;
  readonly requestUri?: string;
  /** Of a response. */
  readonly status?: number;
  readonly reason?: string;
  /** Top Via: transport, sent-by host, branch ("" when there is none). */
  readonly via: readonly [transport: string, host: string, branch: string];
  /** Via values in all, comma lists taken apart. */
  readonly vias: number;
  readonly callId: string;
  readonly cseq: number;
  readonly fromTag: string;
  readonly toTag: string;
  readonly maxForwards?: number;
  readonly contacts: number;
  /** Octets of the body, Content-Length applied. */
  readonly body: number;
}

/** Outcome of reading one message: framing and syntax, before any procedure. */
export type ParserOutcome =
  | { readonly kind: "accepted"; readonly facts: Facts }
  /** Not acceptable, but readable enough to be answered. */
  | { readonly kind: "refused"; readonly status: 400 | 505 }
  /** Nothing can be done with it but to drop it. */
  | { readonly kind: "dropped" };

/** What a UE that is not registered sees at the P-CSCF. */
export type EdgeOutcome =
  /** One final response, out of these. `closed`: the connection ends after it, because the stream cannot be cut any more. */
  | { readonly kind: "answered"; readonly statuses: readonly number[]; readonly closed?: true }
  /** Several requests in one text: a final response for each, unless the connection ends before. */
  | { readonly kind: "each"; readonly statuses: readonly (readonly number[])[]; readonly closed?: true }
  /** No response at all. */
  | { readonly kind: "silent" }
  /** On a stream: the message is not complete, so nothing happens until the receiver's deadline. */
  | { readonly kind: "incomplete" };

export interface Torture {
  readonly name: string;
  readonly clause: string;
  /** What is special about it. */
  readonly what: string;
  /** Why this outcome. */
  readonly why: string;
  readonly text: string;
  /** Pieces that name the transaction: each send gets fresh ones, or the second one is a retransmission of the first. */
  readonly identity: readonly string[];
  readonly parser: ParserOutcome;
  readonly udp: EdgeOutcome;
  readonly tcp: EdgeOutcome;
}

/** The same message as part of another transaction: each identity gets a suffix where it first occurs. Nothing else changes. */
export function fresh(torture: Pick<Torture, "text" | "identity">, suffix: string): string {
  let text = torture.text;
  for (const piece of torture.identity) {
    const at = text.indexOf(piece) + piece.length;
    text = text.slice(0, at) + suffix + text.slice(at);
  }
  return text;
}
