import { randomInt } from "node:crypto";
import {
  type NewSubscriber,
  type ProvisioningClient,
  ProvisioningError,
  type SimservsDocuments,
  type Subscriber,
} from "@ims/api";
import { canonicalImpu } from "@ims/ims";
import { InTurn } from "../in-turn.ts";

export type Failure =
  /** homestead or homer does not do what it is asked to; nothing is known about what it has done. */
  | { readonly kind: "upstream"; readonly problem: string }
  /** One of the identities is somebody else's, or being changed by others. */
  | { readonly kind: "inUse" }
  /** What was given cannot be. */
  | { readonly kind: "refused"; readonly problem: string };

export type AddResult =
  | { readonly kind: "added"; readonly password: string | undefined }
  | { readonly kind: "unknown" }
  | Failure;

export type RemoveResult =
  | { readonly kind: "removed" }
  /** The default public identity of a set that has others (TS 23.228 §4.3.3.4). */
  | { readonly kind: "isDefault"; readonly others: readonly string[] }
  | Failure;

/** "unknown": there is no such private identity. */
export type ResetResult =
  | { readonly kind: "reset"; readonly password: string }
  | { readonly kind: "unknown" }
  | Failure;

type Services = NonNullable<NewSubscriber["services"]>;
/** As homestead takes them, and as it gives them out. */
export type NewCriteria = NonNullable<Services["initialFilterCriteria"]>;
type Criteria = NonNullable<Subscriber["services"]>["initialFilterCriteria"];

export type CriteriaResult =
  | { readonly kind: "criteria"; readonly criteria: Criteria }
  | { readonly kind: "unknown" }
  | Failure;

export type SetCriteriaResult = { readonly kind: "set" } | { readonly kind: "unknown" } | Failure;

export interface ProvisioningModules {
  readonly homestead: Pick<ProvisioningClient, "add" | "get" | "update" | "delete">;
  /** Undefined: there is no homer. */
  readonly simservs: SimservsDocuments | undefined;
  /** SIP URI of the application server of new subscribers; empty: none. */
  readonly applicationServer: string;
}

/** No letters and digits that are taken for others. */
const PASSWORD_CHARACTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const PASSWORD_LENGTH = 16;

/** What a number is in homestead and homer: a public identity of a private one, and its documents. */
export class Provisioning {
  readonly #modules: ProvisioningModules;
  /** Changes of one private identity: what is decided on what was read. */
  readonly #turns = new InTurn();
  /** Why homestead or homer did not do what it was asked to the last time. */
  problem: string | undefined;

  constructor(modules: ProvisioningModules) {
    this.#modules = modules;
  }

  /** A new private identity with the public one; its password is in the result and nowhere else. */
  addWithPrivateId(impi: string, uri: string): Promise<AddResult> {
    const password = sipPassword();
    return this.#attempt(async (): Promise<AddResult> => {
      await this.#modules.homestead.add({
        impi,
        publicIdentities: identitiesOf(uri).map((impu) => ({ impu })),
        credentials: { password },
        ...this.#services(),
      });
      return { kind: "added", password };
    });
  }

  /** One more public identity of a private one, in the same implicit registration set. */
  addToPrivateId(impi: string, uri: string): Promise<AddResult> {
    return this.#turns.run(impi, () =>
      this.#attempt(async (): Promise<AddResult> => {
        const subscriber = await this.#find(impi);
        if (subscriber === undefined) return { kind: "unknown" };
        const known = identitiesIn(subscriber);
        if (identitiesOf(uri).some((impu) => has(known, impu))) return { kind: "inUse" };
        const addPublicIdentities = identitiesOf(uri).map((impu) => ({ impu }));
        await this.#modules.homestead.update(impi, { addPublicIdentities });
        return { kind: "added", password: undefined };
      }),
    );
  }

  /** Takes a public identity away, the private one with the last of them, and the settings of its services. */
  remove(impi: string, uri: string): Promise<RemoveResult> {
    return this.#turns.run(impi, () =>
      this.#attempt(async (): Promise<RemoveResult> => {
        const subscriber = await this.#find(impi);
        const own = identitiesOf(uri);
        const known = subscriber === undefined ? [] : identitiesIn(subscriber);
        if (subscriber === undefined || !has(known, uri)) return { kind: "removed" };
        const rest = known.filter(({ impu }) => !own.some((each) => isSame(each, impu)));
        if (rest.length === 0) {
          // First what names it: afterwards homer knows nobody of that name.
          const document = await this.#modules.simservs?.delete(uri);
          if (document?.kind === "unavailable" || document?.kind === "refused")
            return this.#failed(document.problem);
          await this.#modules.homestead.delete(impi);
          return { kind: "removed" };
        }
        const [first] = known.filter(({ barred }) => !barred);
        if (first !== undefined && isSame(first.impu, uri))
          return { kind: "isDefault", others: rest.map(({ impu }) => impu) };
        await this.#modules.homestead.update(impi, { removePublicIdentities: [...own] });
        return { kind: "removed" };
      }),
    );
  }

  /** A new password for SIP Digest. */
  resetPassword(impi: string): Promise<ResetResult> {
    const password = sipPassword();
    return this.#turns.run(impi, () =>
      this.#attempt(async (): Promise<ResetResult> => {
        const subscriber = await this.#find(impi);
        if (subscriber === undefined) return { kind: "unknown" };
        // A password would take the place of the keys.
        if (subscriber.authentication.includes("aka"))
          return { kind: "refused", problem: `${impi} is authenticated by a SIM; it has no password` };
        await this.#modules.homestead.update(impi, { credentials: { password } });
        return { kind: "reset", password };
      }),
    );
  }

  /** Filter criteria of the service profile that a private identity's public ones share. */
  criteria(impi: string): Promise<CriteriaResult> {
    return this.#attempt(async (): Promise<CriteriaResult> => {
      const subscriber = await this.#find(impi);
      if (subscriber === undefined) return { kind: "unknown" };
      return { kind: "criteria", criteria: subscriber.services?.initialFilterCriteria ?? [] };
    });
  }

  setCriteria(impi: string, criteria: NewCriteria): Promise<SetCriteriaResult> {
    return this.#turns.run(impi, () =>
      this.#attempt(async (): Promise<SetCriteriaResult> => {
        const subscriber = await this.#find(impi);
        if (subscriber === undefined) return { kind: "unknown" };
        await this.#modules.homestead.update(impi, {
          services: { ...subscriber.services, initialFilterCriteria: criteria },
        });
        return { kind: "set" };
      }),
    );
  }

  async #find(impi: string): Promise<Subscriber | undefined> {
    try {
      return await this.#modules.homestead.get(impi);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  #services(): { services?: Services } {
    const { applicationServer: serverName } = this.#modules;
    if (serverName === "") return {};
    const trigger = {
      form: "cnf" as const,
      groups: [
        [{ negated: false, condition: { kind: "method" as const, method: "INVITE", registrationTypes: [] } }],
      ],
    };
    // "terminate": with "continue" a 408 of the phone that is called would count as the server's failure.
    const applicationServer = { serverName, defaultHandling: "terminate" as const };
    return { services: { initialFilterCriteria: [{ priority: 0, trigger, applicationServer }] } };
  }

  async #attempt<T extends { readonly kind: string }>(work: () => Promise<T>): Promise<T | Failure> {
    try {
      const result = await work();
      if (result.kind !== "upstream") this.problem = undefined;
      return result;
    } catch (error) {
      const status = statusOf(error);
      if (!(error instanceof ProvisioningError)) throw error;
      const problem =
        error.detail.code === "PROVISIONING_REFUSED"
          ? error.detail.detail || error.detail.title
          : error.message;
      if (status === 400) return { kind: "refused", problem };
      if (status === 409) return { kind: "inUse" };
      return this.#failed(problem);
    }
  }

  #failed(problem: string): Failure {
    this.problem = problem;
    return { kind: "upstream", problem };
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof ProvisioningError && error.detail.code === "PROVISIONING_REFUSED"
    ? error.detail.status
    : undefined;
}

function sipPassword(): string {
  return Array.from(
    { length: PASSWORD_LENGTH },
    () => PASSWORD_CHARACTERS[randomInt(PASSWORD_CHARACTERS.length)],
  ).join("");
}

/** A global number is called by its tel URI too (TS 24.229 §5.4.1.2.2: alias). */
export function identitiesOf(uri: string): readonly string[] {
  const [, number] = /^sip:(\+[0-9]{3,15})@/.exec(uri) ?? [];
  return number === undefined ? [uri] : [uri, `tel:${number}`];
}

function identitiesIn({ publicIdentities }: Subscriber): readonly { impu: string; barred: boolean }[] {
  return publicIdentities.map(({ impu, barred }) => ({ impu, barred }));
}

function has(known: readonly { readonly impu: string }[], impu: string): boolean {
  return known.some((each) => isSame(each.impu, impu));
}

function isSame(one: string, other: string): boolean {
  return canonicalImpu(one) === canonicalImpu(other);
}
