import { UNAVAILABLE } from "../hss.ts";
import { type Named, namesOf, type RecordName } from "../record-names.ts";
import type { Conflict, SubscriberRecord } from "../subscriber-repository.ts";
import { partsNamed } from "../subscription-row.ts";
import { type Cql, type Row, text } from "./cql.ts";
import type { Patience } from "./patience.ts";
import * as cql from "./statements.ts";

/** A name that a record lists: most are public identities. */
export type ClaimKey = RecordName;

/** The claim of an operation on behalf of a subscriber. */
export type Claimant = { readonly impi: string; readonly operation: string };

export type ClaimRefusal =
  | Conflict
  | { readonly kind: "unavailable" }
  /** The operation that claims was given up by others. */
  | { readonly kind: "overtaken" };
type Claimed = { readonly kind: "claimed" } | ClaimRefusal;

/** Far more than other operations could win before this one. */
const ROUNDS = 500;

/** What a claim by somebody else is worth: see Claims. */
type Worth = "owned" | "pending" | "dead" | "unavailable";

/** In one order everywhere, so that of two operations that want the same identities one goes first. */
export function claimKeys(record: Named): ClaimKey[] {
  return namesOf(record).sort((one, other) => (one.canonical < other.canonical ? -1 : 1));
}

/**
 * Claims on public identities. A claim names a subscriber and an operation. It is worth something while the subscriber's
 * row lists the identity ("owned") or names the operation as in progress ("pending"); otherwise it is what a crash or an
 * ended operation left ("dead"), and stays dead, because operations are never repeated: whoever wants the identity takes
 * it over by a transaction on the operation it was left by.
 */
export class Claims {
  readonly #cql: Cql;

  constructor(session: Cql) {
    this.#cql = session;
  }

  /** Takes an identity for an operation in progress; waits for another one that may still end without it. */
  async claim(key: ClaimKey, { impi, operation }: Claimant, patience: Patience): Promise<Claimed> {
    const statements = statementsOf(key);
    const ours = (row: Row): boolean => text(row, "operation") === operation;
    for (let round = 0; round < ROUNDS; round++) {
      const inserted = await this.#cql.change(statements.insert, [impi, operation, key.canonical], ours);
      if (inserted.kind === "applied") return { kind: "claimed" };
      if (inserted.kind === "unavailable") return inserted;
      const other = claimantOf(inserted.row);
      if (other === undefined) continue;
      const worth =
        other.impi === impi ? await this.#worthToOwner(impi, operation) : await this.#worthOf(key, other);
      if (worth === "unavailable" || worth === "overtaken") return { kind: worth };
      if (worth === "owned") return { kind: "conflict", identity: key.canonical, owner: other.impi };
      if (worth === "pending") {
        if (await patience.isOver(other.operation)) await this.#giveUp(other);
        continue;
      }
      const params = [impi, operation, key.canonical, other.impi, other.operation];
      const taken = await this.#cql.change(statements.take, params, ours);
      if (taken.kind === "applied") return { kind: "claimed" };
      if (taken.kind === "unavailable") return taken;
    }
    return { kind: "unavailable" };
  }

  /** Whether nobody has a name, nor will have it by an operation in progress. To be asked while one's own operation can be seen. */
  async isFree(key: ClaimKey, patience: Patience): Promise<{ readonly kind: "free" } | ClaimRefusal> {
    for (let round = 0; round < ROUNDS; round++) {
      // Not settling: a claim that is not there yet will find the operation.
      const rows = await this.#cql.read(statementsOf(key).select, [key.canonical]);
      if (rows === UNAVAILABLE) return { kind: "unavailable" };
      const claimant = rows[0] && claimantOf(rows[0]);
      const worth = claimant === undefined ? "dead" : await this.#worthOf(key, claimant);
      if (worth === "unavailable") return { kind: "unavailable" };
      if (claimant === undefined || worth === "dead") return { kind: "free" };
      if (worth === "owned") return { kind: "conflict", identity: key.canonical, owner: claimant.impi };
      if (await patience.isOver(claimant.operation)) await this.#giveUp(claimant);
    }
    return { kind: "unavailable" };
  }

  /**
   * Whether no row is named by a private identity and has it, nor will have it by an operation in progress. To be asked while one's own
   * claim on its name can be seen.
   */
  async isNoRow(impi: string, patience: Patience): Promise<{ readonly kind: "free" } | ClaimRefusal> {
    for (let round = 0; round < ROUNDS; round++) {
      const rows = await this.#cql.read(cql.settleSubscriber, [impi]);
      if (rows === UNAVAILABLE) return { kind: "unavailable" };
      const [row] = rows;
      if (row !== undefined && text(row, "record_version") !== undefined && hasPrivate(row, impi))
        return { kind: "conflict", identity: impi, owner: impi };
      const pending = row && text(row, "operation");
      if (pending === undefined) return { kind: "free" };
      if (await patience.isOver(pending)) await this.#giveUp({ impi, operation: pending });
    }
    return { kind: "unavailable" };
  }

  /** Whether another subscriber has an identity now; undefined: nobody has. */
  async ownerOf(key: ClaimKey): Promise<string | undefined | "unavailable"> {
    const rows = await this.#cql.read(statementsOf(key).select, [key.canonical]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    const claimant = rows[0] && claimantOf(rows[0]);
    if (claimant === undefined) return undefined;
    const worth = await this.#worthOf(key, claimant);
    if (worth === "unavailable") return UNAVAILABLE;
    return worth === "owned" ? claimant.impi : undefined;
  }

  /** Drops a claim of an operation that has ended. What cannot be dropped is dead and harms nobody. */
  async drop(key: ClaimKey, { impi, operation }: Claimant): Promise<void> {
    await this.#cql.change(statementsOf(key).release, [key.canonical, impi, operation], () => false);
  }

  /** Drops the claim of a subscriber that does not list the identity any more, whatever operation made it. */
  async release(key: ClaimKey, impi: string): Promise<void> {
    const rows = await this.#cql.read(statementsOf(key).settle, [key.canonical]);
    const claimant = rows === UNAVAILABLE ? undefined : rows[0] && claimantOf(rows[0]);
    if (claimant?.impi !== impi) return;
    // Read after the claim: what is dead now is dead for good.
    if ((await this.#worthOf(key, claimant)) === "dead") await this.drop(key, claimant);
  }

  async #worthOf({ canonical }: ClaimKey, { impi, operation }: Claimant): Promise<Worth> {
    const rows = await this.#cql.read(cql.settleSubscriber, [impi]);
    if (rows === UNAVAILABLE) return "unavailable";
    const [row] = rows;
    if (row === undefined) return "dead";
    if (text(row, "record_version") !== undefined && lists(row, canonical)) return "owned";
    return text(row, "operation") === operation ? "pending" : "dead";
  }

  /** An older claim of the same subscriber is dead, as long as the operation in progress is the one that asks. */
  async #worthToOwner(impi: string, operation: string): Promise<"dead" | "overtaken" | "unavailable"> {
    const rows = await this.#cql.read(cql.settleSubscriber, [impi]);
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    return rows[0] !== undefined && text(rows[0], "operation") === operation ? "dead" : "overtaken";
  }

  /** After this the operation cannot commit. */
  async #giveUp({ impi, operation }: Claimant): Promise<void> {
    const nothing = (): boolean => false;
    await this.#cql.change(cql.abortInsert, [impi, operation], nothing);
    await this.#cql.change(cql.abortReplace, [impi, operation], nothing);
  }
}

function statementsOf({ wildcard }: ClaimKey): cql.ClaimStatements {
  return wildcard ? cql.wildcardClaims : cql.identityClaims;
}

function claimantOf(row: Row): Claimant | undefined {
  const impi = text(row, "impi");
  const operation = text(row, "operation");
  return impi === undefined || operation === undefined ? undefined : { impi, operation };
}

function lists(row: Row, canonical: string): boolean {
  const identities = JSON.parse(text(row, "identities") ?? "[]") as SubscriberRecord["identities"];
  const parts = text(row, "parts");
  const impi = text(row, "impi") ?? "";
  const named = parts === undefined ? { impi, identities } : { impi, identities, parts: partsNamed(parts) };
  return namesOf(named).some((name) => name.canonical === canonical);
}

/** Whether a row, which is named by a private identity, has it still. */
export function hasPrivate(row: Row, impi: string): boolean {
  const parts = text(row, "parts");
  return parts === undefined || partsNamed(parts).privateIdentities.some((one) => one.impi === impi);
}
