import { randomUUID } from "node:crypto";
import {
  Consumer,
  ListOffsetTimestamps,
  MessagesStreamModes,
  stringDeserializers,
} from "@platformatic/kafka";

export interface TopicContent {
  /** Records that stand in the topic, by the broker's own count. */
  readonly records: number;
  /** How often each id stands there. */
  readonly ids: ReadonlyMap<string, number>;
  /** Values in the order of each partition. */
  readonly values: readonly (readonly string[])[];
}

/** Reads a topic from its beginning to its end. `idOf` gives the id of a value. */
export async function readTopic(
  broker: string,
  topic: string,
  idOf: (value: string) => string,
): Promise<TopicContent> {
  const consumer = new Consumer({
    groupId: `reader-${randomUUID()}`,
    clientId: "reader",
    bootstrapBrokers: [broker],
    deserializers: stringDeserializers,
    autocommit: false,
  });
  try {
    const ends = await consumer.listOffsets({ topics: [topic], timestamp: ListOffsetTimestamps.LATEST });
    const records = [...(ends.get(topic) ?? [])].reduce((sum, offset) => sum + Number(offset), 0);
    const ids = new Map<string, number>();
    const values: string[][] = [];
    if (records === 0) return { records, ids, values };
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST });
    let read = 0;
    for await (const { value, partition } of stream) {
      const id = idOf(value);
      ids.set(id, (ids.get(id) ?? 0) + 1);
      values[partition] ??= [];
      values[partition].push(value);
      if (++read === records) break;
    }
    return { records, ids, values };
  } finally {
    await consumer.close(true);
  }
}
