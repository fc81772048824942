/** What a node said, or why it said nothing that counts. */
export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly text: string }
  | { readonly kind: "silent"; readonly problem: string };

export interface NodeClientOptions {
  /** The management token; needed beyond loopback. */
  readonly token: string | undefined;
  readonly patienceMs: number;
  /** Longest answer that is read, bytes. */
  readonly longest: number;
}

/** Asks management ports, bounded in time and in size. Never rejects. */
export class NodeClient {
  readonly #options: NodeClientOptions;

  constructor(options: NodeClientOptions) {
    this.#options = options;
  }

  get token(): string | undefined {
    return this.#options.token;
  }

  async get(url: string, path: string, patienceMs: number = this.#options.patienceMs): Promise<Reply> {
    const { token } = this.#options;
    try {
      const response = await fetch(`${url}${path}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        redirect: "error",
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await this.#textOf(response);
      if (text === undefined) return silent(`its answer is longer than ${this.#options.longest} bytes`);
      return { kind: "answer", status: response.status, text };
    } catch (error) {
      if (error instanceof Error && error.name === "TimeoutError")
        return silent(`it does not answer within ${patienceMs / 1000} s`);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return silent(cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** JSON of a 200; else one line why there is none. */
  async json(
    url: string,
    path: string,
    patienceMs?: number,
  ): Promise<
    | { readonly kind: "json"; readonly json: unknown }
    | { readonly kind: "none"; readonly status: number; readonly problem: string }
  > {
    const reply = await this.get(url, path, patienceMs);
    if (reply.kind === "silent") return { kind: "none", status: 0, problem: reply.problem };
    const { status, text } = reply;
    if (status !== 200)
      return { kind: "none", status, problem: `${status} ${text.trim().split("\n", 1)[0]?.slice(0, 200)}` };
    try {
      return { kind: "json", json: JSON.parse(text) as unknown };
    } catch {
      return { kind: "none", status, problem: "what answers there is no node of this release" };
    }
  }

  async #textOf(response: Response): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      // Leaving the loop ends the connection.
      if (length > this.#options.longest) return undefined;
      parts.push(part);
    }
    return Buffer.concat(parts).toString("utf8");
  }
}

function silent(problem: string): Reply {
  return { kind: "silent", problem: problem.slice(0, 300) };
}
