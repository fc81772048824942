export { type EllisOptions, ellisOptions } from "./options.ts";
export { ellisProblems } from "./problems.ts";
export { createEllis } from "./service.ts";
