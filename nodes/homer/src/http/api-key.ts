import { hash, timingSafeEqual } from "node:crypto";
import { CALL_LIST_USAGE } from "../call-list/call-list-document.ts";

/** What tells of whom a request is. */
export interface KeyedRequest {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** NGV-API-Key. */
  readonly key: string | undefined;
}

/** Whether an operator's tool that has the key reads a call list: it may read all of them, and nothing else. */
export function apiKeyReader(key: string): (request: KeyedRequest) => boolean {
  const expected = hash("sha256", key, "buffer");
  return ({ method, target, key: given }) =>
    given !== undefined &&
    (method === "GET" || method === "HEAD") &&
    target.startsWith(`/${CALL_LIST_USAGE}/`) &&
    timingSafeEqual(hash("sha256", given, "buffer"), expected);
}
