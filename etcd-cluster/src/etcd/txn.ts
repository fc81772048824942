import { base64, type Entry, entryOf, type Json, type KeyRange, list, object, rangeJson } from "./wire.ts";

/** What must be true of one key for a transaction to take its first branch. */
export type Compare =
  | { readonly key: string; readonly is: "absent" | "present" }
  /** Not written since. */
  | { readonly key: string; readonly is: "at"; readonly revision: number }
  | { readonly key: string; readonly is: "equal"; readonly value: string };

export type Operation =
  | { readonly do: "put"; readonly key: string; readonly value: string; readonly lease?: string | undefined }
  | { readonly do: "delete"; readonly range: KeyRange }
  | { readonly do: "get"; readonly range: KeyRange };

/** All or nothing: `run` where every comparison holds, `otherwise` where one does not. */
export interface Transaction {
  readonly when: readonly Compare[];
  readonly run: readonly Operation[];
  readonly otherwise?: readonly Operation[];
}

export function transactionJson({ when, run, otherwise = [] }: Transaction): Json {
  return {
    compare: when.map(compareJson),
    success: run.map(operationJson),
    failure: otherwise.map(operationJson),
  };
}

function compareJson(compare: Compare): Json {
  const key = base64(compare.key);
  switch (compare.is) {
    case "absent":
      return { key, target: "CREATE", result: "EQUAL", create_revision: "0" };
    case "present":
      return { key, target: "CREATE", result: "GREATER", create_revision: "0" };
    case "at":
      return { key, target: "MOD", result: "EQUAL", mod_revision: String(compare.revision) };
    case "equal":
      return { key, target: "VALUE", result: "EQUAL", value: base64(compare.value) };
  }
}

function operationJson(operation: Operation): Json {
  switch (operation.do) {
    case "put":
      return { request_put: putJson(operation) };
    case "delete":
      return { request_delete_range: rangeJson(operation.range) };
    case "get":
      return { request_range: rangeJson(operation.range) };
  }
}

export function putJson(put: {
  readonly key: string;
  readonly value: string;
  readonly lease?: string | undefined;
}): Json {
  const lease = put.lease === undefined ? {} : { lease: put.lease };
  return { key: base64(put.key), value: base64(put.value), ...lease };
}

/** What each `get` of the branch taken has found, in order. */
export function foundOf(answer: Json): Entry[][] {
  return list(answer["responses"])
    .map((response) => object(response)["response_range"])
    .filter((range) => range !== undefined)
    .map((range) => list(object(range)["kvs"]).map(entryOf));
}
