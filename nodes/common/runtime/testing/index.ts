export { FAKE_EPOCH_MS, type FakeClock, fakeClock } from "./fake-clock.ts";
