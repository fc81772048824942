import { type AkaAnswer, ProvisioningClient, ProvisioningError, type Subscriber } from "@ims/api";
import type { AkaFits } from "../case/finding.ts";

const PATIENCE_MS = 5_000;

export type Looked =
  | { readonly kind: "found"; readonly subscriber: Subscriber }
  /** `away`: the HSS cannot be asked. */
  | { readonly kind: "unknown" | "without a set" | "away" };

/** The subscribers of our own HSS, without their secrets. Never rejects; the first refusal or silence is kept in `problem`. */
export class HomeSubscribers {
  readonly #client: ProvisioningClient;
  readonly #seen = new Map<string, Promise<Looked>>();
  #problem: string | undefined;

  constructor(url: string, token: string | undefined) {
    this.#client = new ProvisioningClient(url, token, PATIENCE_MS);
  }

  /** Why nothing is known of subscribers, in one line. */
  get problem(): string | undefined {
    return this.#problem;
  }

  byPrivateIdentity(impi: string): Promise<Looked> {
    const known = this.#seen.get(impi);
    if (known !== undefined) return known;
    const looked = this.#lookAlsoWithoutSet(impi);
    this.#seen.set(impi, looked);
    return looked;
  }

  byPublicIdentity(impu: string): Promise<Looked> {
    return this.#look(async () => {
      const { impi } = await this.#client.ownerOf(impu);
      return this.#client.get(impi);
    });
  }

  /** What an answer to an AKA challenge fits; undefined when that cannot be said. */
  async akaFits(impi: string, answer: AkaAnswer): Promise<AkaFits | undefined> {
    try {
      return (await this.#client.compareAka(impi, answer)).fits;
    } catch {
      return undefined;
    }
  }

  async #lookAlsoWithoutSet(impi: string): Promise<Looked> {
    const looked = await this.#look(async () => this.#client.get(impi));
    if (looked.kind !== "unknown") return looked;
    const parked = await this.#client.hasPrivateIdentity(impi).catch(() => false);
    return parked ? { kind: "without a set" } : looked;
  }

  async #look(ask: () => Promise<Subscriber>): Promise<Looked> {
    try {
      return { kind: "found", subscriber: await ask() };
    } catch (error) {
      if (error instanceof ProvisioningError) {
        const { detail } = error;
        if (detail.code === "PROVISIONING_REFUSED" && (detail.status === 404 || detail.status === 400))
          return { kind: "unknown" };
        this.#problem ??= problemOf(error);
      } else this.#problem ??= String(error);
      return { kind: "away" };
    }
  }
}

function problemOf({ detail }: ProvisioningError): string {
  switch (detail.code) {
    case "PROVISIONING_UNREACHABLE":
      return `the provisioning API does not answer at ${detail.url}: what the HSS has is not known`;
    case "PROVISIONING_ANSWER":
      return `what answers at ${detail.url} is not the provisioning API of homestead`;
    case "PROVISIONING_REFUSED":
      return `the provisioning API refuses (${detail.status} ${detail.title}): what the HSS has is not known`;
  }
}
