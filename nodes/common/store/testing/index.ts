export { kvStoreCompliance, type StoreUnderTest } from "./kv-store-compliance.ts";
