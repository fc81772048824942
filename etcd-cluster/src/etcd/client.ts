import type { Clock } from "@ims/runtime";
import type { Endpoint } from "./endpoint.ts";
import { EtcdError, type Unavailable } from "./errors.ts";
import { type Answer, Requester } from "./requester.ts";
import { type EtcdTls, messagesOf, problemOf, Transport } from "./transport.ts";
import { foundOf, putJson, type Transaction, transactionJson } from "./txn.ts";
import { type WatchTurn, watchRange } from "./watch.ts";
import {
  type Entry,
  entryOf,
  id,
  int,
  type Json,
  type KeyRange,
  list,
  object,
  rangeJson,
  revisionOf,
} from "./wire.ts";

export interface EtcdClientOptions {
  readonly endpoints: readonly Endpoint[];
  readonly tls?: EtcdTls;
  readonly clock: Clock;
  /** For a whole request, over all endpoints, ms. Default 5,000. */
  readonly deadlineMs?: number;
  /** For one try on one endpoint, ms. Default 2,000. */
  readonly tryMs?: number;
  /** Between two checks that the server of a quiet watch still lives, ms. Default 5,000. */
  readonly watchCheckMs?: number;
}

export type RangeResult =
  | { readonly kind: "found"; readonly revision: number; readonly entries: readonly Entry[] }
  | Unavailable;
export type PutResult =
  | { readonly kind: "stored"; readonly revision: number }
  | { readonly kind: "noLease" }
  | Unavailable;
export type DeleteResult =
  | { readonly kind: "deleted"; readonly revision: number; readonly count: number }
  | Unavailable;
export type TransactionResult =
  | {
      readonly kind: "done";
      /** Every comparison held. */
      readonly held: boolean;
      readonly revision: number;
      /** By `get` of the branch taken. */
      readonly found: readonly (readonly Entry[])[];
    }
  | { readonly kind: "noLease" }
  | Unavailable;
export type GrantResult =
  | { readonly kind: "granted"; readonly lease: string; readonly ttlSeconds: number }
  | Unavailable;
/** A member of the cluster of etcd. */
export interface EtcdMember {
  readonly id: string;
  /** Empty: it was admitted later on and has never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** None: it has never started. */
  readonly clientUrls: readonly string[];
}
export type MembersResult =
  | { readonly kind: "members"; readonly members: readonly EtcdMember[] }
  | Unavailable;
export type LeaseResult =
  | { readonly kind: "alive"; readonly ttlSeconds: number }
  | { readonly kind: "gone" }
  | Unavailable;

/** Entries of one page of a range. */
const PAGE = 500;
const NOT_FOUND = 5;
const OUT_OF_RANGE = 11;

/**
 * A client of etcd 3.4 and later through its JSON gateway. Reads are linearizable and are tried on every endpoint within the
 * deadline; a write is sent again only where the first one cannot have taken effect, else it is `unavailable` with
 * `maybeDone`. Throws EtcdError ETCD_REFUSED for what etcd calls a bad request.
 */
export class EtcdClient {
  readonly #requester: Requester;
  readonly #watchCheckMs: number;
  readonly #clock: Clock;

  constructor(options: EtcdClientOptions) {
    const { clock, endpoints, tls, deadlineMs = 5000, tryMs = 2000, watchCheckMs = 5000 } = options;
    this.#requester = new Requester({
      clock,
      endpoints,
      transport: new Transport(clock, tls),
      deadlineMs,
      tryMs,
    });
    this.#watchCheckMs = watchCheckMs;
    this.#clock = clock;
  }

  /** Other certificates, for connections that are made from now on. */
  useTls(tls: EtcdTls): void {
    this.#requester.transport.useTls(tls);
  }

  /** All entries of a range as they were at one revision, in order of their keys. */
  async range(range: KeyRange): Promise<RangeResult> {
    for (;;) {
      const result = await this.#rangeOnce(range);
      if (result !== "compacted") return result;
    }
  }

  async put(key: string, value: string, options: { readonly lease?: string } = {}): Promise<PutResult> {
    const answer = await this.#requester.ask("/v3/kv/put", putJson({ key, value, ...options }), "write", [
      NOT_FOUND,
    ]);
    if (answer.kind !== "answer") return answer.kind === "refused" ? { kind: "noLease" } : answer;
    return { kind: "stored", revision: revisionOf(answer.json) };
  }

  async delete(range: KeyRange): Promise<DeleteResult> {
    const answer = await this.#requester.ask("/v3/kv/deleterange", rangeJson(range), "write");
    if (answer.kind !== "answer") return answer;
    return { kind: "deleted", revision: revisionOf(answer.json), count: int(answer.json["deleted"]) };
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    const reads = [...transaction.run, ...(transaction.otherwise ?? [])].every((one) => one.do === "get");
    const mode = reads ? "read" : "write";
    const answer = await this.#requester.ask("/v3/kv/txn", transactionJson(transaction), mode, [NOT_FOUND]);
    if (answer.kind !== "answer") return answer.kind === "refused" ? { kind: "noLease" } : answer;
    const { json } = answer;
    return {
      kind: "done",
      held: json["succeeded"] === true,
      revision: revisionOf(json),
      found: foundOf(json),
    };
  }

  /** A lease of at least so many seconds. One whose answer got lost lapses unused, so this is sent again. */
  async grantLease(ttlSeconds: number): Promise<GrantResult> {
    const answer = await this.#requester.ask("/v3/lease/grant", { TTL: String(ttlSeconds) }, "read");
    if (answer.kind !== "answer") return answer;
    return { kind: "granted", lease: id(answer.json["ID"]), ttlSeconds: int(answer.json["TTL"]) };
  }

  async keepAlive(lease: string): Promise<LeaseResult> {
    const answer = await this.#requester.ask("/v3/lease/keepalive", { ID: lease }, "read");
    if (answer.kind !== "answer") return answer;
    const ttlSeconds = int(object(answer.json["result"])["TTL"]);
    return ttlSeconds > 0 ? { kind: "alive", ttlSeconds } : { kind: "gone" };
  }

  /** Ends a lease; what was bound to it is deleted. */
  async revokeLease(lease: string): Promise<{ readonly kind: "revoked" | "gone" } | Unavailable> {
    const answer = await this.#requester.ask("/v3/lease/revoke", { ID: lease }, "read", [NOT_FOUND]);
    if (answer.kind === "unavailable") return answer;
    return { kind: answer.kind === "answer" ? "revoked" : "gone" };
  }

  /** Forgets what was before a revision; watches from before it are told. */
  async compact(revision: number): Promise<{ readonly kind: "compacted" } | Unavailable> {
    const body = { revision: String(revision), physical: true };
    const answer = await this.#requester.ask("/v3/kv/compaction", body, "read", [OUT_OF_RANGE]);
    return answer.kind === "unavailable" ? answer : { kind: "compacted" };
  }

  async members(): Promise<MembersResult> {
    const answer = await this.#requester.ask("/v3/cluster/member/list", {}, "read");
    if (answer.kind !== "answer") return answer;
    return { kind: "members", members: list(answer.json["members"]).map(memberOf) };
  }

  /** Admits a member of the cluster of etcd; it is to start with these peer URLs and no data. */
  async addMember(peerUrls: readonly string[]): Promise<MembersResult | { readonly kind: "refused" }> {
    const body = { peerURLs: [...peerUrls] };
    // FAILED_PRECONDITION: it is there, or the cluster is not well enough.
    const answer = await this.#requester.ask("/v3/cluster/member/add", body, "write", [9]);
    if (answer.kind !== "answer") return answer.kind === "refused" ? { kind: "refused" } : answer;
    return { kind: "members", members: list(answer.json["members"]).map(memberOf) };
  }

  /** Takes a member out of the cluster of etcd; gone already is as good. Refused where the rest would have no quorum. */
  async removeMember(memberId: string): Promise<{ readonly kind: "removed" | "refused" } | Unavailable> {
    const answer = await this.#requester.ask("/v3/cluster/member/remove", { ID: memberId }, "read", [
      NOT_FOUND,
      9,
    ]);
    if (answer.kind === "unavailable") return answer;
    return { kind: answer.kind === "refused" && answer.status === 9 ? "refused" : "removed" };
  }

  /** The whole state of one member, followed by its SHA-256, in pieces. @throws EtcdError ETCD_UNAVAILABLE */
  async *snapshot(signal: AbortSignal): AsyncGenerator<Buffer> {
    const { endpoint, transport, tryMs } = this.#requester;
    const path = "/v3/maintenance/snapshot";
    const broken = (problem: string): EtcdError => {
      this.#requester.leave(endpoint);
      return new EtcdError({ code: "ETCD_UNAVAILABLE", path, problem: `${endpoint.url}: ${problem}` });
    };
    const opened = await transport.open(endpoint, path, {}, tryMs, signal);
    if (opened.kind === "lost") throw broken(opened.problem);
    let whole = false;
    try {
      for await (const message of messagesOf(opened.response)) {
        if (message["error"] !== undefined) throw new RangeError("the stream ends with an error");
        const result = object(message["result"]);
        whole = int(result["remaining_bytes"]) === 0;
        yield Buffer.from(String(result["blob"] ?? ""), "base64");
      }
    } catch (error) {
      throw broken(problemOf(error));
    }
    if (!whole) throw broken("the snapshot ends early");
  }

  /**
   * Changes of a range from a revision on, each once and in order, whichever endpoint tells them. Ends when `signal` aborts, or
   * after a turn `restart`: what was missed cannot be told any more, read the range again.
   */
  watch(range: KeyRange, fromRevision: number, signal: AbortSignal): AsyncGenerator<WatchTurn> {
    return watchRange({
      requester: this.#requester,
      clock: this.#clock,
      range,
      fromRevision,
      signal,
      checkMs: this.#watchCheckMs,
    });
  }

  /** Ends the connections; requests under way come back as unavailable. */
  close(): void {
    this.#requester.close();
  }

  async #rangeOnce(range: KeyRange): Promise<RangeResult | "compacted"> {
    const entries: Entry[] = [];
    let revision = 0;
    let body: Json = { ...rangeJson(range), limit: String(PAGE) };
    for (;;) {
      const answer: Answer = await this.#requester.ask("/v3/kv/range", body, "read", [OUT_OF_RANGE]);
      if (answer.kind === "unavailable") return answer;
      if (answer.kind === "refused") return "compacted"; // between two pages
      if (revision === 0) revision = revisionOf(answer.json);
      const page = list(answer.json["kvs"]);
      entries.push(...page.map(entryOf));
      const last = page.at(-1);
      if (answer.json["more"] !== true || last === undefined) return { kind: "found", revision, entries };
      const next = Buffer.concat([Buffer.from(String(object(last)["key"]), "base64"), Buffer.from([0])]);
      body = { ...body, key: next.toString("base64"), revision: String(revision) };
    }
  }
}

function memberOf(value: unknown): EtcdMember {
  const member = object(value);
  const name = member["name"];
  const urls = (key: string): string[] => list(member[key]).filter((url) => typeof url === "string");
  return {
    id: id(member["ID"]),
    name: typeof name === "string" ? name : "",
    peerUrls: urls("peerURLs"),
    clientUrls: urls("clientURLs"),
  };
}
