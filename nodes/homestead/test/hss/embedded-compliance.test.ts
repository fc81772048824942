import { memoryHss } from "../cx/cx-under-test.ts";
import { subscriberRepositoryCompliance } from "./subscriber-repository-compliance.ts";

subscriberRepositoryCompliance("embedded, SQLite", (t) => {
  const repository = memoryHss(t);
  return { one: repository, other: repository };
});
