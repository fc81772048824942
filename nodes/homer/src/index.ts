export { type HomerOptions, homerOptions } from "./options.ts";
export { createHomer } from "./service.ts";
