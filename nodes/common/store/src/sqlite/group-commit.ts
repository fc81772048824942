import type { DatabaseSync } from "node:sqlite";
import { asError } from "@ims/runtime";

export type CommitResult =
  | { readonly kind: "stored" }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** Writes in one transaction, so that the loop goes on between two: about 5 ms of work. */
const LARGEST = 128;

/** SQLITE_BUSY: somebody else writes. */
const BUSY = 5;
/** Tried again after so long, and for so long in all, ms. */
const AGAIN_MS = 3;
const PATIENCE_MS = 500;

const STORED: CommitResult = { kind: "stored" };

type Outcome = CommitResult | { readonly kind: "busy"; readonly cause: Error };

interface Waiting {
  readonly work: () => void;
  readonly done: (result: CommitResult) => void;
}

/**
 * Writes of one turn of the loop share one transaction: a commit costs more than a row. Each is answered when its
 * transaction is committed, that is when it outlives the process; a power cut may lose the last ones. While somebody else has the
 * write lock (a checkpoint) they wait for it, and the loop goes on.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  #queue: Waiting[] = [];
  #armed = false;
  #busySince: number | undefined;

  /** Statements of that database wait for no lock from now on. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec("PRAGMA busy_timeout = 0");
  }

  /** `work` runs statements of the database. If it throws, every write of its transaction is unavailable. */
  run(work: () => void): Promise<CommitResult> {
    return new Promise((done) => {
      this.#queue.push({ work, done });
      this.#arm();
    });
  }

  /** What is queued is committed at once. */
  flush(): void {
    while (this.#queue.length > 0) this.#commit();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    if (this.#busySince === undefined) setImmediate(this.#next);
    else setTimeout(this.#next, AGAIN_MS);
  }

  readonly #next = (): void => {
    this.#armed = false;
    this.#commit();
    if (this.#queue.length > 0) this.#arm();
  };

  #commit(): void {
    const batch = this.#queue.splice(0, LARGEST);
    if (batch.length === 0) return;
    const result = this.#transaction(batch);
    if (result.kind === "busy") {
      this.#busySince ??= performance.now();
      if (performance.now() - this.#busySince < PATIENCE_MS) {
        this.#queue = [...batch, ...this.#queue];
        return;
      }
      batch.push(...this.#queue.splice(0));
    }
    this.#busySince = undefined;
    const answer =
      result.kind === "stored" ? STORED : ({ kind: "unavailable", cause: result.cause } as const);
    for (const { done } of batch) done(answer);
  }

  #transaction(batch: readonly Waiting[]): Outcome {
    const database = this.#database;
    try {
      database.exec("BEGIN IMMEDIATE");
      for (const { work } of batch) work();
      database.exec("COMMIT");
      return STORED;
    } catch (error) {
      const begun = database.isOpen && database.isTransaction;
      try {
        if (begun) database.exec("ROLLBACK");
      } catch {
        // The first failure says more.
      }
      return { kind: !begun && isBusy(error) ? "busy" : "unavailable", cause: asError(error) };
    }
  }
}

/** The low octet of an extended error code is the plain one. */
function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY;
}
