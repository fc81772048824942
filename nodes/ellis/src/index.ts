export { type EllisOptions, ellisOptions } from "./options.ts";
export { createEllis } from "./service.ts";
