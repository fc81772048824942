export { type HomerOptions, homerOptions } from "./options.ts";
export { homerProblems } from "./problems.ts";
export { createHomer } from "./service.ts";
