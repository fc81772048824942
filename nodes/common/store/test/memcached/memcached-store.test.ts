import { describe } from "node:test";
import { kvStoreCompliance } from "@ims/store/testing";
import { pause, servers, skip, storeOn } from "./support.ts";

describe("memcached store", { skip }, () => {
  for (const count of [1, 2, 3])
    kvStoreCompliance(`memcached, ${count} real servers`, async (t) => {
      const store = await storeOn(t, await servers(t, count));
      return { store, advance: pause };
    });
});
