import type { Unavailable } from "./simservs-repository.ts";

/** What was written of a call at one moment. */
export interface StoredFragment {
  /** Names the call, among those that began in the same millisecond. */
  readonly call: string;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly kind: "begin" | "end" | "rejected";
  /** XML: children of the call's element. */
  readonly elements: string;
}

/** Fragments of one subscriber's calls. */
export interface FragmentsOf {
  readonly canonical: string;
  readonly fragments: readonly StoredFragment[];
}

/** Where fragments of calls are kept for their time, by canonical public identity. Writing one twice does no harm. */
export interface CallListRepository {
  add(entry: FragmentsOf): Promise<"written" | Unavailable>;
  /** The newest calls first, at most `limit` fragments. */
  find(canonical: string, limit: number): Promise<readonly StoredFragment[] | Unavailable>;
  /** Calls that began before. */
  removeBefore(canonical: string, startedAt: number): Promise<"removed" | Unavailable>;
}
