import type { Clock } from "@ims/runtime";

export type SimservsAnswer =
  | { readonly kind: "found"; readonly document: string; readonly etag: string }
  /** The document is still the one of the entity tag given. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "notFound" }
  | { readonly kind: "unavailable"; readonly problem: string };

export interface SimservsClientOptions {
  /** Base URLs of the homers, core port; any of them has any document. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  /** For one homer. Default 1000. */
  readonly timeoutMs?: number;
  /** Which one is asked first. Default Math.random. */
  readonly random?: () => number;
}

const TIMEOUT_MS = 1_000;
/** A homer that has not answered is not asked for that long, unless no other is left. */
const PAUSE_MS = 1_000;
const MAX_DOCUMENT = 262_144;

/** Reads simservs documents (XCAP, TS 24.623) for application servers. */
export class SimservsClient {
  readonly #options: SimservsClientOptions;
  readonly #away = new Map<string, number>();
  #at: number;

  constructor(options: SimservsClientOptions) {
    this.#options = options;
    this.#at = Math.floor((options.random ?? Math.random)() * options.urls.length);
  }

  /** `etag`: of the document that is at hand. Never rejects. While all homers are away the answer comes at once. */
  async read(impu: string, etag = ""): Promise<SimservsAnswer> {
    const { urls, clock } = this.#options;
    let problem = "no homer has answered lately";
    for (let turn = 0; turn < urls.length; turn++) {
      const url = urls[(this.#at + turn) % urls.length] ?? "";
      if ((this.#away.get(url) ?? Number.NEGATIVE_INFINITY) > clock.monotonic()) continue;
      const answer = await this.#ask(url, impu, etag);
      if (answer.kind !== "unavailable") {
        this.#away.delete(url);
        this.#at = (this.#at + turn) % urls.length;
        return answer;
      }
      this.#away.set(url, clock.monotonic() + PAUSE_MS);
      problem = answer.problem;
    }
    return { kind: "unavailable", problem };
  }

  async #ask(url: string, impu: string, etag: string): Promise<SimservsAnswer> {
    const path = `/simservs.ngn.etsi.org/users/${encodeURIComponent(impu)}/simservs.xml`;
    try {
      const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
        ...(etag === "" ? {} : { headers: { "if-none-match": etag } }),
        redirect: "error",
        signal: AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS),
      });
      const document = await textOf(response);
      if (document === undefined)
        return { kind: "unavailable", problem: `${url}: the document is too large` };
      if (response.status === 304) return { kind: "unchanged" };
      if (response.status === 404) return { kind: "notFound" };
      if (response.status === 200)
        return { kind: "found", document, etag: response.headers.get("etag") ?? "" };
      return { kind: "unavailable", problem: `${url}: status ${response.status}` };
    } catch (error) {
      const why =
        error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : "";
      return { kind: "unavailable", problem: `${url}: ${why}` };
    }
  }
}

/** Undefined when it is longer than any document; the rest is not read. */
async function textOf(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_DOCUMENT) return undefined;
  }
  return text + decoder.decode();
}
