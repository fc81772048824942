export { BonoError, type BonoFault } from "./errors.ts";
export { type BonoOptions, bonoOptions } from "./options.ts";
export { bonoProblems } from "./problems.ts";
export { rehearse } from "./rehearsal/rehearsal.ts";
export { createBono } from "./service.ts";
