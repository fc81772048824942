import { unlink } from "node:fs/promises";
import { cutTornLine, type FileSeries } from "./file-series.ts";
import type { RecordSink } from "./record-sink.ts";

/** Records as files of JSON lines. */
export class JsonLinesFiles<T extends object> implements RecordSink<T> {
  readonly #files: FileSeries;

  constructor(files: FileSeries) {
    this.#files = files;
  }

  /** Finishes what an earlier process left. */
  async start(): Promise<void> {
    for (const part of await this.#files.leftovers()) {
      const { left } = await cutTornLine(part);
      await (left === 0 ? unlink(part) : this.#files.publish(part));
    }
  }

  async write(records: readonly T[]): Promise<void> {
    // Before, not after: what is written must not be offered again because its file could not be finished.
    if (this.#files.isFull) await this.#files.finish();
    await this.#files.append(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }

  stop(): Promise<void> {
    return this.#files.finish();
  }
}
