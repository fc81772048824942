import { type ProvisioningClient, ProvisioningError } from "@ims/api";
import type { Clock } from "@ims/runtime";

/** Whose document an identity means: all identities of a subscriber share one, kept under the default identity. */
export type Owner =
  | { readonly kind: "owner"; readonly canonical: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "unavailable"; readonly problem: string };

const FRESH_MS = 60_000;
/** What is known of somebody counts that long while homestead is away. */
const STALE_MS = 24 * 3_600_000;
const MAX_KNOWN = 100_000;

/** Asks homestead, and remembers. Without homestead every identity has a document of its own. */
export class Owners {
  readonly #homestead: Pick<ProvisioningClient, "ownerOf"> | undefined;
  readonly #clock: Clock;
  readonly #known = new Map<string, { owner: Owner; at: number }>();
  #problem: string | undefined;

  constructor(homestead: Pick<ProvisioningClient, "ownerOf"> | undefined, clock: Clock) {
    this.#homestead = homestead;
    this.#clock = clock;
  }

  /** Why homestead could not be asked the last time. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async of(canonical: string): Promise<Owner> {
    if (this.#homestead === undefined) return { kind: "owner", canonical };
    const known = this.#known.get(canonical);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() - known.at;
    if (known !== undefined && age < FRESH_MS) return known.owner;
    const owner = await ask(this.#homestead, canonical);
    this.#problem = owner.kind === "unavailable" ? owner.problem : undefined;
    if (owner.kind === "unavailable") return known !== undefined && age < STALE_MS ? known.owner : owner;
    this.#known.delete(canonical);
    this.#known.set(canonical, { owner, at: this.#clock.monotonic() });
    if (this.#known.size > MAX_KNOWN)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    return owner;
  }
}

async function ask(homestead: Pick<ProvisioningClient, "ownerOf">, canonical: string): Promise<Owner> {
  try {
    const [first] = (await homestead.ownerOf(canonical)).publicIdentities;
    return first === undefined ? { kind: "unknown" } : { kind: "owner", canonical: first };
  } catch (error) {
    if (
      error instanceof ProvisioningError &&
      error.detail.code === "PROVISIONING_REFUSED" &&
      error.detail.status === 404
    )
      return { kind: "unknown" };
    return { kind: "unavailable", problem: error instanceof Error ? error.message : String(error) };
  }
}
