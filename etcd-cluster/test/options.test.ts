import assert from "node:assert/strict";
import { test } from "node:test";
import { withServiceOptions } from "@ims/runtime";
import { etcdClusterOptions } from "../src/options.ts";

test("it listens for its own management on loopback, whatever it tells of its member's", () => {
  const given = {
    etcd: "http://10.0.3.11:2379",
    pool: "sprout",
    member: "sprout-0",
    addresses: ["10.0.2.11"],
  };
  const options = withServiceOptions(etcdClusterOptions).parse({
    ...given,
    memberManagementAddress: "10.0.4.11",
  });
  assert.equal(options["managementAddress"], "127.0.0.1");
});
