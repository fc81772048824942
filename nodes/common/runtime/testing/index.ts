export { FAKE_EPOCH_MS, type FakeClock, fakeClock } from "./fake-clock.ts";
export { freePort } from "./free-port.ts";
export { type MemoryLogger, memoryLogger } from "./memory-logger.ts";
