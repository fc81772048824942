export { type Asked, type Asker, askNode, type NodeStep, type Told } from "./trail/ask-node.ts";
export { type Exchange, endOf, exchangeOf, exchangesOf, startOf, summaryOf } from "./trail/exchange.ts";
export { type Gathered, type GatherOptions, gather } from "./trail/gather.ts";
export { type LadderOptions, ladder, printable, type Rung, rungsOf } from "./trail/ladder.ts";
export type { TrailNode } from "./trail/trail-node.ts";
