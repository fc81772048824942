/** How homer took a request for a whole document. */
export type DocumentAnswer =
  | { readonly kind: "found"; readonly document: string }
  | { readonly kind: "stored" }
  | { readonly kind: "removed" }
  /** There is no document, or nobody has the identity. */
  | { readonly kind: "notFound" }
  /** homer does not want the document; says why. */
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "unavailable"; readonly problem: string };

const TYPE = "application/vnd.etsi.simservs+xml";
const TIMEOUT_MS = 3_000;
const MAX_ANSWER = 262_144;
/** What is wrong with the document, not with who sends it. */
const REFUSALS = new Set([400, 409, 413, 415]);

/** Whole simservs documents at the core port of homer (XCAP, TS 24.623), for nodes that manage subscribers. */
export class SimservsDocuments {
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs = TIMEOUT_MS) {
    this.#url = url.replace(/\/$/, "");
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. */
  get(impu: string): Promise<DocumentAnswer> {
    return this.#ask("GET", impu);
  }

  put(impu: string, document: string): Promise<DocumentAnswer> {
    return this.#ask("PUT", impu, document);
  }

  delete(impu: string): Promise<DocumentAnswer> {
    return this.#ask("DELETE", impu);
  }

  async #ask(method: "GET" | "PUT" | "DELETE", impu: string, document?: string): Promise<DocumentAnswer> {
    const url = `${this.#url}/simservs.ngn.etsi.org/users/${encodeURIComponent(impu)}/simservs.xml`;
    try {
      const response = await fetch(url, {
        method,
        redirect: "error",
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(document === undefined ? {} : { body: document, headers: { "content-type": TYPE } }),
      });
      const text = (await response.text()).slice(0, MAX_ANSWER);
      if (response.status === 404) return { kind: "notFound" };
      if (response.ok)
        return method === "GET"
          ? { kind: "found", document: text }
          : { kind: method === "PUT" ? "stored" : "removed" };
      if (REFUSALS.has(response.status)) return { kind: "refused", problem: phraseOf(text) };
      return { kind: "unavailable", problem: `${this.#url}: status ${response.status}` };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return {
        kind: "unavailable",
        problem: `${this.#url}: ${cause instanceof Error ? cause.message : String(cause)}`,
      };
    }
  }
}

/** What the report of a conflict says (RFC 4825 §11.1), in a few words. */
function phraseOf(report: string): string {
  const phrase = /\bphrase="([^"]{1,500})"/.exec(report)?.[1] ?? report.slice(0, 500);
  return phrase
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&")
    .trim();
}
