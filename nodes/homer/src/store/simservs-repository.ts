import type { Unavailable } from "./hss.ts";

/** Settings of supplementary services (TS 24.623) of one public identity. */
export type Simservs = {
  /** XML, whole. */
  readonly document: string;
  /** Names this state of the document: its entity tag (RFC 4825 §7.11). */
  readonly version: string;
};

export type SimservsWrite =
  | { readonly kind: "written"; readonly version: string }
  /** The document is not the one the condition names any more. */
  | { readonly kind: "overtaken" }
  | { readonly kind: "unavailable" };

/** Where simservs documents are kept, by canonical public identity. Every write is conditional, so that none is lost. */
export interface SimservsRepository {
  find(canonical: string): Promise<Simservs | undefined | Unavailable>;
  /** `before`: the version read; undefined: there was no document. */
  put(canonical: string, document: string, before: string | undefined): Promise<SimservsWrite>;
  remove(
    canonical: string,
    before: string,
  ): Promise<Exclude<SimservsWrite, { kind: "written" }> | { kind: "removed" }>;
}
