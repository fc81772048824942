export { RalfError, type RalfFault } from "./errors.ts";
export { type RalfOptions, ralfOptions } from "./options.ts";
export { ralfProblems } from "./problems.ts";
export { createRalf } from "./service.ts";
