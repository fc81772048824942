export { HomesteadError, type HomesteadFault } from "./errors.ts";
export { type HomesteadOptions, homesteadOptions } from "./options.ts";
export { homesteadProblems } from "./problems.ts";
export { createHomestead } from "./service.ts";
