export { HomesteadError, type HomesteadFault } from "./errors.ts";
export { type HomesteadOptions, homesteadOptions } from "./options.ts";
export { createHomestead } from "./service.ts";
