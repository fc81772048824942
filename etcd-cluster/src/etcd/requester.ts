import type { Clock } from "@ims/runtime";
import type { Endpoint } from "./endpoint.ts";
import { EtcdError, type Unavailable } from "./errors.ts";
import type { Transport } from "./transport.ts";
import { int, type Json } from "./wire.ts";

export interface RequesterOptions {
  readonly clock: Clock;
  readonly endpoints: readonly Endpoint[];
  readonly transport: Transport;
  readonly deadlineMs: number;
  readonly tryMs: number;
}

export type Answer =
  | { readonly kind: "answer"; readonly json: Json }
  | { readonly kind: "refused"; readonly status: number }
  | Unavailable;

/** Between two rounds over all endpoints, ms. */
const PAUSE_MS = 100;
/** gRPC status codes. */
const RESOURCE_EXHAUSTED = 8;
const TRANSIENT: ReadonlySet<number> = new Set([1, 4, RESOURCE_EXHAUSTED, 14]);
/** Said before anything was proposed to the cluster. */
const NOTHING_DONE = /no leader|too many requests|not capable|server stopped/;

/** Chooses the endpoint, tries the others within the deadline. The one that answered last is asked first. */
export class Requester {
  readonly transport: Transport;
  readonly tryMs: number;
  readonly #options: RequesterOptions;
  #current = 0;
  #closed = false;

  constructor(options: RequesterOptions) {
    if (options.endpoints.length === 0)
      throw new EtcdError({ code: "ETCD_ENDPOINT", text: "", problem: "no endpoint" });
    this.#options = options;
    this.transport = options.transport;
    this.tryMs = options.tryMs;
  }

  get endpoint(): Endpoint {
    const { endpoints } = this.#options;
    return endpoints[this.#current % endpoints.length] as Endpoint;
  }

  /** The next requests go elsewhere, unless somebody has seen to that already. */
  leave(endpoint: Endpoint): void {
    if (this.endpoint === endpoint) this.#current = (this.#current + 1) % this.#options.endpoints.length;
  }

  /** A "read" may be sent any number of times. `expected`: gRPC codes that are an answer to the caller. */
  ask(path: string, body: Json, mode: "read" | "write"): Promise<Exclude<Answer, { kind: "refused" }>>;
  ask(path: string, body: Json, mode: "read" | "write", expected: readonly number[]): Promise<Answer>;
  async ask(
    path: string,
    body: Json,
    mode: "read" | "write",
    expected: readonly number[] = [],
  ): Promise<Answer> {
    const { clock, endpoints, transport, deadlineMs, tryMs } = this.#options;
    const end = clock.monotonic() + deadlineMs;
    const problems = new Map<string, string>();
    const unavailable = (maybeDone: boolean): Unavailable => {
      const problem = [...problems].map(([url, text]) => `${url}: ${text}`).join("; ");
      return {
        kind: "unavailable",
        maybeDone,
        cause: new EtcdError({ code: "ETCD_UNAVAILABLE", path, problem }),
      };
    };
    for (let round = 1; ; round++) {
      const left = end - clock.monotonic();
      if (this.#closed) problems.set("client", "closed");
      if (this.#closed || left <= 0) return unavailable(false);
      const endpoint = this.endpoint;
      const reply = await transport.post(endpoint, path, body, Math.min(left, tryMs));
      if (reply.kind === "answer" && reply.status === 200) return { kind: "answer", json: reply.json };
      if (reply.kind === "lost") {
        problems.set(endpoint.url, reply.problem);
        this.leave(endpoint);
        if (mode === "write" && reply.sent) return unavailable(true);
      } else {
        const code = int(reply.json["code"]);
        const text = String(reply.json["message"] ?? reply.json["error"] ?? `HTTP ${reply.status}`);
        if (expected.includes(code)) return { kind: "refused", status: code };
        if (!TRANSIENT.has(code))
          throw new EtcdError({ code: "ETCD_REFUSED", path, status: code, problem: text });
        problems.set(endpoint.url, text);
        this.leave(endpoint);
        if (mode === "write" && !NOTHING_DONE.test(text)) return unavailable(true);
      }
      if (round % endpoints.length === 0)
        await new Promise<void>((resolve) => clock.setTimer(PAUSE_MS, resolve));
    }
  }

  close(): void {
    this.#closed = true;
    this.transport.close();
  }
}
