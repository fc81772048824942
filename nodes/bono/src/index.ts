export { BonoError, type BonoFault } from "./errors.ts";
export { type BonoOptions, bonoOptions } from "./options.ts";
export { createBono } from "./service.ts";
