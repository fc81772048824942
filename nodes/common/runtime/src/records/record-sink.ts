/** Where the records of a stream go: files, a message broker. One call at a time. */
export interface RecordSink<T> {
  /** Before the first record. Rejects when it cannot be used now; it is asked again. */
  start(): Promise<void>;
  /** Takes records in their order. Rejects when it has not taken them: the same ones are offered again, in the same order. */
  write(records: readonly T[]): Promise<void>;
  /** No more will come: what was taken is finished. */
  stop(): Promise<void>;
}
