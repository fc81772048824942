import { ImsError } from "@ims/runtime";
import {
  type ChangedSubscriber,
  type ImportReport,
  importReportSchema,
  type NewSubscriber,
  problemSchema,
  type Subscriber,
  type SubscriberPage,
  subscriberPageSchema,
  subscriberSchema,
} from "./provisioning.ts";

export type ProvisioningFault =
  | {
      readonly code: "PROVISIONING_REFUSED";
      readonly status: number;
      readonly title: string;
      readonly detail: string;
    }
  | { readonly code: "PROVISIONING_UNREACHABLE"; readonly url: string };

export class ProvisioningError extends ImsError<ProvisioningFault> {}

const DEADLINE_MS = 60_000;

/** Client of homestead's provisioning API. Every method throws ProvisioningError. */
export class ProvisioningClient {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor(url: string, token?: string) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
  }

  async add(subscriber: NewSubscriber): Promise<Subscriber> {
    return subscriberSchema.parse(await this.#call("POST", "/subscribers", subscriber));
  }

  async get(impi: string): Promise<Subscriber> {
    return subscriberSchema.parse(await this.#call("GET", `/subscribers/${encodeURIComponent(impi)}`));
  }

  async list(page: { after?: string; limit?: number; search?: string }): Promise<SubscriberPage> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value));
    return subscriberPageSchema.parse(await this.#call("GET", `/subscribers?${query}`));
  }

  async update(impi: string, change: ChangedSubscriber): Promise<Subscriber> {
    return subscriberSchema.parse(
      await this.#call("PATCH", `/subscribers/${encodeURIComponent(impi)}`, change),
    );
  }

  async delete(impi: string): Promise<void> {
    await this.#call("DELETE", `/subscribers/${encodeURIComponent(impi)}`);
  }

  /** RTR towards the S-CSCF that serves it. */
  async deregister(impi: string): Promise<void> {
    await this.#call("POST", `/subscribers/${encodeURIComponent(impi)}/deregister`);
  }

  /** At most 5,000 rows a call. */
  async import(
    subscribers: readonly unknown[],
    options: { dryRun: boolean; partial: boolean },
  ): Promise<ImportReport> {
    return importReportSchema.parse(
      await this.#call("POST", "/subscribers/import", { ...options, subscribers }),
    );
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const url = `${this.#url}${path}`;
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.#token !== undefined) headers["authorization"] = `Bearer ${this.#token}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers,
        signal: AbortSignal.timeout(DEADLINE_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (cause) {
      throw new ProvisioningError({ code: "PROVISIONING_UNREACHABLE", url: this.#url }, { cause });
    }
    const answer: unknown = text === "" ? undefined : JSON.parse(text);
    if (response.ok) return answer;
    const problem = problemSchema.safeParse(answer);
    throw new ProvisioningError({
      code: "PROVISIONING_REFUSED",
      status: response.status,
      title: problem.success ? problem.data.title : response.statusText,
      detail: problem.success ? (problem.data.detail ?? "") : "",
    });
  }
}
