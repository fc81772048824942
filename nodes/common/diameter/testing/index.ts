export { mar } from "./cx-messages.ts";
export { startNode } from "./start-node.ts";
