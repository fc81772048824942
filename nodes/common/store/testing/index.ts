export { type CalendarUnderTest, calendarCompliance } from "./calendar-compliance.ts";
export { kvStoreCompliance, type StoreUnderTest } from "./kv-store-compliance.ts";
