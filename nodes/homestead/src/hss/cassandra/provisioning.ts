import { randomUUID } from "node:crypto";
import type { Clock } from "@ims/runtime";
import { impiOfName, isParkedKey, namesOf, privateIdentitiesOf, privateName } from "../record-names.ts";
import type { Sealing } from "../sealing.ts";
import { namedOf, stateAfterReplace } from "../stored.ts";
import type { RemoveResult, SubscriberRecord, WriteResult } from "../subscriber-repository.ts";
import { encodeCredentials, encodeServices } from "../subscriber-row.ts";
import { Subscription } from "../subscription.ts";
import { encodeAllCredentials, encodeParts } from "../subscription-row.ts";
import { encodeState, NO_STATE, pruned } from "../subscription-state.ts";
import { type Cql, type Row, type Statement, text } from "./cql.ts";
import {
  type Claimant,
  type ClaimKey,
  type ClaimRefusal,
  Claims,
  claimKeys,
  hasPrivate,
} from "./identity-claims.ts";
import { Patience } from "./patience.ts";
import * as cql from "./statements.ts";
import { type StoredRow, sqnText } from "./stored-subscriber.ts";

/** The row is named by a private identity that it has lost. */
type RowInUse = { readonly kind: "rowInUse" };
type Begun = { readonly kind: "begun" } | RowInUse | Exclude<WriteResult, { readonly kind: "written" }>;

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

  async insert(record: SubscriberRecord): Promise<WriteResult | RowInUse> {
    const claimant = { impi: record.impi, operation: randomUUID() };
    const patience = new Patience(this.#clock);
    // 1. The row is ours, and empty.
    const begun = await this.#beginInsert(claimant, patience);
    if (begun.kind !== "begun") return begun;
    // 2. So are the identities.
    const keys = claimKeys(record);
    const refusal =
      (await this.#ownNameTaken(record, patience)) ?? (await this.#claimAll(keys, claimant, patience));
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
        record.parts === undefined ? null : encodeParts(record.parts),
        version,
        sqnText(record.sqn ?? 0),
        record.parts === undefined ? null : encodeState(pruned(NO_STATE, record.parts)),
        randomUUID(),
        record.impi,
        claimant.operation,
      ],
      (row) => text(row, "record_version") === version,
    );
    return this.#ended(result.kind, cql.abortInsert, keys, claimant);
  }

  async replace(before: StoredRow, record: SubscriberRecord): Promise<WriteResult> {
    if (before instanceof Subscription && record.parts === undefined)
      throw new TypeError("a subscription of several parts is written in its parts");
    const claimant = { impi: record.impi, operation: randomUUID() };
    const patience = new Patience(this.#clock);
    const old = new Set(namesOf(namedOf(before)).map(({ canonical }) => canonical));
    const keys = claimKeys(record);
    const added = keys.filter(({ canonical }) => !old.has(canonical));
    // 1. The row is ours, and as it was read.
    const begun = await this.#beginReplace(claimant, before.recordVersion, patience);
    if (begun.kind !== "begun") return begun;
    // 2. So are the identities that are new.
    const returns = !privateIdentitiesOf(namedOf(before)).includes(record.impi);
    const refusal =
      (returns ? await this.#ownNameTaken(record, patience) : undefined) ??
      (await this.#claimAll(added, claimant, patience));
    if (refusal !== undefined) {
      await this.#abort(cql.abortReplace, added, claimant);
      return refusal;
    }
    // 3. From here on the new record counts.
    const version = randomUUID();
    const result = await this.#cql.change(
      ...this.#commit(before, record, version, claimant.operation),
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
  async remove(before: StoredRow): Promise<RemoveResult> {
    const patience = new Patience(this.#clock);
    const { recordVersion, stateVersion } = before;
    const { impi } = namedOf(before);
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
        return isParkedKey(impi) || hasPrivate(result.row, impi)
          ? { kind: "conflict", identity: impi, owner: impi }
          : { kind: "rowInUse" };
      const pending = text(result.row, "operation");
      if (pending === undefined || (await patience.isOver(pending)))
        await this.#cql.change(cql.abortInsert, [impi, pending ?? null], () => false);
    }
  }

  async #beginReplace(
    { impi, operation }: Claimant,
    recordVersion: string,
    patience: Patience,
  ): Promise<Exclude<Begun, RowInUse>> {
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
      const impi = impiOfName(key.canonical);
      if (result.kind === "conflict") return { ...result, identity: impi ?? key.canonical };
      if (result.kind !== "claimed") return result;
      const row = impi === undefined ? undefined : await this.#claims.isNoRow(impi, patience);
      if (row !== undefined && row.kind !== "free") return row;
    }
    return undefined;
  }

  /** Whether the private identity that a row is to be named by, and to have, is somebody's already. */
  async #ownNameTaken(record: SubscriberRecord, patience: Patience): Promise<ClaimRefusal | undefined> {
    const { impi } = record;
    if (!privateIdentitiesOf(record).includes(impi)) return undefined;
    const own = await this.#claims.isFree({ canonical: privateName(impi), wildcard: false }, patience);
    if (own.kind === "free") return undefined;
    return own.kind === "conflict" ? { ...own, identity: impi } : own;
  }

  #commit(
    before: StoredRow,
    record: SubscriberRecord,
    version: string,
    operation: string,
  ): [Statement, unknown[]] {
    const columns = this.#columns(record);
    const where = [record.impi, operation, before.recordVersion];
    const { parts } = record;
    if (parts !== undefined) {
      const state = stateAfterReplace(before, parts);
      const { serverName = null, originHost = null, originRealm = null } = state.server ?? {};
      const states = [encodeState(state), serverName, originHost, originRealm, randomUUID()];
      const all = [...columns, encodeParts(parts), version, ...states, ...where, before.stateVersion];
      return [cql.commitReplaceParts, all];
    }
    if (record.sqn === undefined) return [cql.commitReplace, [...columns, version, ...where]];
    const sqn = [sqnText(record.sqn), randomUUID()];
    return [cql.commitReplaceWithSqn, [...columns, version, ...sqn, ...where]];
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

  async #release(before: StoredRow, kept: ReadonlySet<string>): Promise<void> {
    const named = namedOf(before);
    const gone = namesOf(named).filter(({ canonical }) => !kept.has(canonical));
    await Promise.all(gone.map((name) => this.#claims.release(name, named.impi)));
  }

  #columns(record: SubscriberRecord): [string, Uint8Array, string] {
    const { parts } = record;
    const credentials =
      parts === undefined ? encodeCredentials(record.credentials) : encodeAllCredentials(parts);
    return [
      JSON.stringify(record.identities.map(({ impu, barred }) => ({ impu, barred }))),
      this.#sealing.seal(credentials, record.impi),
      parts === undefined ? encodeServices(record.services) : "",
    ];
  }
}
