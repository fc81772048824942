import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";

const EVERY_MS = 2_000;
/** Pages of the log beyond which it is to begin anew. */
const RESTART_PAGES = 4_000;
/** And beyond which the writer helps itself, which holds its loop for as long as the disk takes: the thread is not there, or does not keep up. */
const HELP_PAGES = 50_000;
/** It waits for others, who wait for it then, no longer than this, ms. */
const LOCK_MS = 20;

/** Text, not a file: it goes wherever the program goes. */
const PROGRAM = `
const { workerData, parentPort } = require("node:worker_threads");
const { DatabaseSync } = require("node:sqlite");
const database = new DatabaseSync(workerData.path, { timeout: workerData.lockMs });
database.exec("PRAGMA synchronous = NORMAL");
const passive = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
const restart = database.prepare("PRAGMA wal_checkpoint(RESTART)");
const timer = setInterval(() => {
  try {
    if (passive.get().log < workerData.restartPages) return;
    // What was written meanwhile; then there is little left to do while nobody else may write. Who reads for long (a backup) keeps the log.
    const { log, checkpointed } = passive.get();
    if (checkpointed === log) restart.get();
  } catch {
    // The next one will do.
  }
}, workerData.everyMs);
parentPort.once("message", () => {
  clearInterval(timer);
  database.close();
});
`;

/**
 * Moves what stands in the write-ahead log of a database into its file, on a thread of its own: the disk is waited for there, and the
 * loop goes on. A log that is written to all the time would never be found empty, and grow until its writer has to help: once it is
 * long the thread takes the write lock for the little that is left, and `GroupCommit` waits for that without standing still. Not for ":memory:".
 */
export class BackgroundCheckpoint {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;

  constructor(
    database: DatabaseSync,
    path: string,
    { everyMs = EVERY_MS, restartPages = RESTART_PAGES }: { everyMs?: number; restartPages?: number } = {},
  ) {
    database.exec(`PRAGMA wal_autocheckpoint = ${HELP_PAGES}`);
    this.#worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { path, everyMs, restartPages, lockMs: LOCK_MS },
      execArgv: ["--disable-warning=ExperimentalWarning"],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.unref();
    // Without it the writer checkpoints by itself, more seldom.
    this.#worker.on("error", () => undefined);
    // From the start: a thread that died earlier is not waited for.
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => resolve());
    });
  }

  /** Resolves when the thread has closed its connection. The last one to close moves the log into the file: after the writer it is this one, and no loop waits. */
  async close(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage("close");
    await this.#ended;
  }
}
