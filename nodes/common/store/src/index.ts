export { StoreError, type StoreFault } from "./errors.ts";
export {
  asVersion,
  type DeleteOptions,
  type GetResult,
  type KvStore,
  MAX_VALUE_BYTES,
  type PutOptions,
  type PutResult,
  type Version,
} from "./kv-store.ts";
export { MemoryStore, type MemoryStoreOptions, memoryStore } from "./memory/memory-store.ts";
