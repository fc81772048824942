import { randomUUID } from "node:crypto";
import type { Clock } from "@ims/runtime";
import type { Sealing } from "../sealing.ts";
import type { RemoveResult, SubscriberRecord, WriteResult } from "../subscriber-repository.ts";
import { encodeCredentials, encodeServices } from "../subscriber-row.ts";
import { type Cql, type Row, type Statement, text } from "./cql.ts";
import { type Claimant, type ClaimKey, type ClaimRefusal, Claims, claimKeys } from "./identity-claims.ts";
import { Patience } from "./patience.ts";
import * as cql from "./statements.ts";
import { type StoredSubscriber, sqnText } from "./stored-subscriber.ts";

type Begun = { readonly kind: "begun" } | Exclude<WriteResult, { readonly kind: "written" }>;

/**
 * Writes of records, over several partitions: an operation is begun on the subscriber's row, claims the identities one by
 * one, and is committed by one transaction on the row, if nobody gave it up meanwhile. Until then nothing counts; after
 * it everything does. What a crash leaves is given up by whoever stands before it next (Patience, Claims).
 */
export class Provisioning {
  readonly #cql: Cql;
  readonly #claims: Claims;
  readonly #sealing: Sealing;
  readonly #clock: Clock;

  constructor(session: Cql, { sealing, clock }: { readonly sealing: Sealing; readonly clock: Clock }) {
    this.#cql = session;
    this.#claims = new Claims(session);
    this.#sealing = sealing;
    this.#clock = clock;
  }

  get claims(): Claims {
    return this.#claims;
  }

  async insert(record: SubscriberRecord): Promise<WriteResult> {
    const claimant = { impi: record.impi, operation: randomUUID() };
    const patience = new Patience(this.#clock);
    // 1. The row is ours, and empty.
    const begun = await this.#beginInsert(claimant, patience);
    if (begun.kind !== "begun") return begun;
    // 2. So are the identities.
    const keys = claimKeys(record.identities);
    const refusal = await this.#claimAll(keys, claimant, patience);
    if (refusal !== undefined) {
      await this.#abort(cql.abortInsert, keys, claimant);
      return refusal;
    }
    // 3. From here on there is a subscriber.
    const version = randomUUID();
    const result = await this.#cql.change(
      cql.commitInsert,
      [
        ...this.#columns(record),
        version,
        sqnText(record.sqn ?? 0),
        randomUUID(),
        record.impi,
        claimant.operation,
      ],
      (row) => text(row, "record_version") === version,
    );
    return this.#ended(result.kind, cql.abortInsert, keys, claimant);
  }

  async replace(before: StoredSubscriber, record: SubscriberRecord): Promise<WriteResult> {
    const claimant = { impi: record.impi, operation: randomUUID() };
    const patience = new Patience(this.#clock);
    const old = new Set(before.identities.map(({ canonical }) => canonical));
    const keys = claimKeys(record.identities);
    const added = keys.filter(({ canonical }) => !old.has(canonical));
    // 1. The row is ours, and as it was read.
    const begun = await this.#beginReplace(claimant, before.recordVersion, patience);
    if (begun.kind !== "begun") return begun;
    // 2. So are the identities that are new.
    const refusal = await this.#claimAll(added, claimant, patience);
    if (refusal !== undefined) {
      await this.#abort(cql.abortReplace, added, claimant);
      return refusal;
    }
    // 3. From here on the new record counts.
    const version = randomUUID();
    const state = record.sqn === undefined ? [] : [sqnText(record.sqn), randomUUID()];
    const result = await this.#cql.change(
      state.length === 0 ? cql.commitReplace : cql.commitReplaceWithSqn,
      [...this.#columns(record), version, ...state, record.impi, claimant.operation, before.recordVersion],
      (row) => text(row, "record_version") === version,
    );
    const ended = await this.#ended(result.kind, cql.abortReplace, added, claimant);
    // 4. Identities that are not listed any more.
    if (ended.kind === "written") {
      const kept = new Set(keys.map(({ canonical }) => canonical));
      await this.#release(before, kept);
    }
    return ended;
  }

  /** As it was read: whoever registered meanwhile is not removed unnoticed. */
  async remove(before: StoredSubscriber): Promise<RemoveResult> {
    const patience = new Patience(this.#clock);
    const { impi, recordVersion, stateVersion } = before;
    for (;;) {
      const params = [impi, recordVersion, stateVersion];
      const result = await this.#cql.change(cql.removeSubscriber, params, () => false);
      if (result.kind === "unavailable") return result;
      if (result.kind === "applied" || text(result.row, "record_version") === undefined) {
        await this.#release(before, new Set());
        return { kind: result.kind === "applied" ? "written" : "notFound" };
      }
      const pending = text(result.row, "operation");
      if (pending === undefined || text(result.row, "record_version") !== recordVersion)
        return { kind: "overtaken" };
      if (await patience.isOver(pending))
        await this.#cql.change(cql.abortReplace, [impi, pending], () => false);
    }
  }

  async #beginInsert({ impi, operation }: Claimant, patience: Patience): Promise<Begun> {
    const ours = (row: Row): boolean => text(row, "operation") === operation;
    for (;;) {
      const result = await this.#cql.change(cql.beginInsert, [impi, operation], ours);
      if (result.kind === "applied") return { kind: "begun" };
      if (result.kind === "unavailable") return result;
      if (text(result.row, "record_version") !== undefined)
        return { kind: "conflict", identity: impi, owner: impi };
      const pending = text(result.row, "operation");
      if (pending === undefined || (await patience.isOver(pending)))
        await this.#cql.change(cql.abortInsert, [impi, pending ?? null], () => false);
    }
  }

  async #beginReplace(
    { impi, operation }: Claimant,
    recordVersion: string,
    patience: Patience,
  ): Promise<Begun> {
    const ours = (row: Row): boolean => text(row, "operation") === operation;
    let from: string | null = null;
    for (;;) {
      const params = [operation, impi, from, recordVersion];
      const result = await this.#cql.change(cql.beginReplace, params, ours);
      if (result.kind === "applied") return { kind: "begun" };
      if (result.kind === "unavailable") return result;
      if (text(result.row, "record_version") !== recordVersion) return { kind: "overtaken" };
      const pending = text(result.row, "operation");
      from = pending !== undefined && (await patience.isOver(pending)) ? pending : null;
    }
  }

  /** Undefined when all are claimed. */
  async #claimAll(
    keys: readonly ClaimKey[],
    claimant: Claimant,
    patience: Patience,
  ): Promise<ClaimRefusal | undefined> {
    for (const key of keys) {
      const result = await this.#claims.claim(key, claimant, patience);
      if (result.kind !== "claimed") return result;
    }
    return undefined;
  }

  async #ended(
    result: "applied" | "refused" | "unavailable",
    abort: Statement,
    keys: readonly ClaimKey[],
    claimant: Claimant,
  ): Promise<WriteResult> {
    if (result === "applied") return { kind: "written" };
    // Not known whether it was committed: the claims may count, and must stay.
    if (result === "unavailable") return { kind: "unavailable" };
    await this.#abort(abort, keys, claimant);
    return { kind: "overtaken" };
  }

  async #abort(statement: Statement, keys: readonly ClaimKey[], claimant: Claimant): Promise<void> {
    await this.#cql.change(statement, [claimant.impi, claimant.operation], () => false);
    await Promise.all(keys.map((key) => this.#claims.drop(key, claimant)));
  }

  async #release(before: StoredSubscriber, kept: ReadonlySet<string>): Promise<void> {
    const gone = before.identities.filter(({ canonical }) => !kept.has(canonical));
    await Promise.all(
      gone.map(({ canonical, wildcard }) =>
        this.#claims.release({ canonical, wildcard: wildcard !== undefined }, before.impi),
      ),
    );
  }

  #columns(record: SubscriberRecord): [string, Uint8Array, string] {
    return [
      JSON.stringify(record.identities.map(({ impu, barred }) => ({ impu, barred }))),
      this.#sealing.seal(encodeCredentials(record.credentials), record.impi),
      encodeServices(record.services),
    ];
  }
}
