import { ImsError } from "@ims/runtime";
import type { z } from "zod";
import {
  type AkaAnswer,
  type AkaVerdict,
  akaVerdictSchema,
  type DigestProof,
  type DigestVerdict,
  digestVerdictSchema,
  type IdentityOwner,
  identityOwnerSchema,
} from "./authentication.ts";
import {
  type ChangedSubscriber,
  type Deregistration,
  type ImportReport,
  importReportSchema,
  type NewSubscriber,
  problemSchema,
  type SharingSubscriber,
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
  | { readonly code: "PROVISIONING_UNREACHABLE"; readonly url: string }
  /** What answers is not the API this client knows. */
  | { readonly code: "PROVISIONING_ANSWER"; readonly url: string };

export class ProvisioningError extends ImsError<ProvisioningFault> {}

const DEADLINE_MS = 60_000;

/** Client of homestead's provisioning API. Every method throws ProvisioningError. */
export class ProvisioningClient {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #deadlineMs: number;

  constructor(url: string, token?: string, deadlineMs = DEADLINE_MS) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
    this.#deadlineMs = deadlineMs;
  }

  async add(subscriber: NewSubscriber): Promise<Subscriber> {
    return this.#read(subscriberSchema, await this.#call("POST", "/subscribers", subscriber));
  }

  /** One more private identity of the subscription that another one is of. */
  async share(subscriber: SharingSubscriber): Promise<Subscriber> {
    return this.#read(subscriberSchema, await this.#call("POST", "/subscribers", subscriber));
  }

  async get(impi: string): Promise<Subscriber> {
    return this.#read(subscriberSchema, await this.#call("GET", `/subscribers/${segment(impi)}`));
  }

  async list(page: { after?: string; limit?: number; search?: string }): Promise<SubscriberPage> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value));
    return this.#read(subscriberPageSchema, await this.#call("GET", `/subscribers?${query}`));
  }

  async update(impi: string, change: ChangedSubscriber): Promise<Subscriber> {
    return subscriberSchema.parse(await this.#call("PATCH", `/subscribers/${segment(impi)}`, change));
  }

  async delete(impi: string): Promise<void> {
    await this.#call("DELETE", `/subscribers/${segment(impi)}`);
  }

  /** RTR towards the S-CSCF that serves it. */
  async deregister(impi: string, { reason }: Deregistration = {}): Promise<void> {
    const body = reason === undefined ? undefined : { reason };
    await this.#call("POST", `/subscribers/${segment(impi)}/deregister`, body);
  }

  /** Whether somebody who answered a Digest challenge knows the subscriber's password. */
  async verifyDigest(impi: string, proof: DigestProof): Promise<DigestVerdict> {
    const path = `/subscribers/${segment(impi)}/verify-digest`;
    return this.#read(digestVerdictSchema, await this.#call("POST", path, proof));
  }

  /** Whether somebody has that private identity, be it without any public one. */
  async hasPrivateIdentity(impi: string): Promise<boolean> {
    try {
      await this.#call("GET", `/private/${segment(impi)}`);
      return true;
    } catch (error) {
      if (!(error instanceof ProvisioningError) || error.detail.code !== "PROVISIONING_REFUSED") throw error;
      if (error.detail.status === 404) return false;
      throw error;
    }
  }

  /** Why an answer to an AKA challenge was wrong: whether it fits another reading of the subscriber's OPc. */
  async compareAka(impi: string, answer: AkaAnswer): Promise<AkaVerdict> {
    const path = `/subscribers/${segment(impi)}/compare-aka`;
    return this.#read(akaVerdictSchema, await this.#call("POST", path, answer));
  }

  /** Who a public identity belongs to. Refused with 404 when it is nobody's. */
  async ownerOf(impu: string): Promise<IdentityOwner> {
    return this.#read(identityOwnerSchema, await this.#call("GET", `/public-identities/${segment(impu)}`));
  }

  /** At most 5,000 rows a call. */
  async import(
    subscribers: readonly unknown[],
    options: { readonly dryRun: boolean; readonly partial: boolean; readonly existing?: "refuse" | "keep" },
  ): Promise<ImportReport> {
    return this.#read(
      importReportSchema,
      await this.#call("POST", "/subscribers/import", { ...options, subscribers }),
    );
  }

  #read<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    throw new ProvisioningError({ code: "PROVISIONING_ANSWER", url: this.#url }, { cause: result.error });
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
        // Secrets of subscribers go nowhere else.
        redirect: "error",
        signal: AbortSignal.timeout(this.#deadlineMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (cause) {
      throw new ProvisioningError({ code: "PROVISIONING_UNREACHABLE", url: this.#url }, { cause });
    }
    const answer = jsonOf(text);
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

/** A name in a path. The two that mean another place in any spelling (RFC 3986 §5.2.4) are nobody's. */
function segment(name: string): string {
  if (name === "." || name === "..")
    throw new ProvisioningError({
      code: "PROVISIONING_REFUSED",
      status: 404,
      title: "Not Found",
      detail: `there is no ${name}`,
    });
  return encodeURIComponent(name);
}

/** Undefined for what is no JSON: something else may listen at the address. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
