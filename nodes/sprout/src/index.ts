export {
  ANALYTICS_EVENTS,
  type AnalyticsEvent,
  analyticsEventSchema,
} from "./analytics/analytics-event.ts";
export { type KafkaClientOptions, kafkaClient } from "./analytics/kafka-client.ts";
export {
  type KafkaClient,
  type KafkaMessage,
  KafkaSink,
  type KafkaSinkOptions,
} from "./analytics/kafka-sink.ts";
export type { Cx, CxRequests } from "./cx/cx.ts";
export { SproutError, type SproutFault } from "./errors.ts";
export { createMmtelNode, type MmtelNodeOptions, mmtelNodeOptions } from "./mmtel/node.ts";
export { type SproutOptions, sproutOptions } from "./options.ts";
export { sproutProblems } from "./problems.ts";
export { createSprout } from "./service.ts";
export { createEntities, type SproutEntities, type SproutParts } from "./sprout.ts";
