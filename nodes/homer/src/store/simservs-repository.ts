/** Settings of supplementary services (TS 24.623) of one subscriber. */
export interface Simservs {
  /** XML, whole. */
  readonly document: string;
  /** Names this state of the document: its entity tag (RFC 4825 §7.11). */
  readonly version: string;
}

/** The store does not answer: nothing is known, and nothing may be concluded. */
export const UNAVAILABLE = "unavailable" as const;
export type Unavailable = typeof UNAVAILABLE;

export type SimservsWrite =
  | { readonly kind: "written"; readonly version: string }
  /** The document is not the one the condition names any more. */
  | { readonly kind: "overtaken" }
  | { readonly kind: "unavailable" };

export type SimservsRemoval = Exclude<SimservsWrite, { kind: "written" }> | { readonly kind: "removed" };

/** Where simservs documents are kept, by canonical public identity. Every write is conditional, so that none is lost. */
export interface SimservsRepository {
  find(canonical: string): Promise<Simservs | undefined | Unavailable>;
  /** `before`: the version read; undefined: there was no document. */
  put(canonical: string, document: string, before: string | undefined): Promise<SimservsWrite>;
  remove(canonical: string, before: string): Promise<SimservsRemoval>;
}
