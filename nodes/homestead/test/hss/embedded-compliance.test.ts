import { memoryHss } from "../cx/cx-under-test.ts";
import { sharedSubscriptionCompliance } from "./shared-subscription-compliance.ts";
import { subscriberRepositoryCompliance } from "./subscriber-repository-compliance.ts";

for (const compliance of [subscriberRepositoryCompliance, sharedSubscriptionCompliance])
  compliance("SQLite", (t) => {
    const hss = memoryHss(t);
    return { one: hss, other: hss };
  });
