export { type Clock, type SystemClockOptions, systemClock, type Timer } from "./clock.ts";
export { type Fault, ImsError } from "./errors.ts";
