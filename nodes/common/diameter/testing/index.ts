export { mar } from "./cx-messages.ts";
export { until } from "./raw-peer.ts";
export { selfSigned } from "./self-signed.ts";
export { startNode } from "./start-node.ts";
