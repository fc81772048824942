import assert from "node:assert/strict";
import { test } from "node:test";
import { admin, etcdClientOf, turnSecretOf } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { etcdMissing, startEtcdCluster } from "../../support/etcd.ts";

const missing = etcdMissing();
const skip = missing !== null && process.env["CI"] !== "true" ? missing : false;

test("etcd-admin turn-secret prints what each bono makes of the key of flow tokens: that made for them, or that of the configuration", {
  skip,
}, async (t) => {
  assert.equal(missing, null);
  const cluster = await startEtcdCluster(1);
  t.after(() => cluster.stop());
  await cluster.writable();
  const client = etcdClientOf(
    { etcd: cluster.endpoints, etcdCa: "", etcdCertificate: "", etcdKey: "" },
    systemClock(),
  );
  t.after(() => client.close());
  const ask = async (): Promise<readonly [code: number, said: string]> => {
    const lines: string[] = [];
    const code = await admin(["turn-secret", "--etcd", cluster.endpoints], (line) => lines.push(line));
    return [code, lines.join("\n")];
  };
  assert.deepEqual(await ask(), [1, "etcd-admin: no bono was told a key of flow tokens yet"]);
  const made = "a".repeat(64);
  const state = { version: 1, secret: "s".repeat(30), flowTokenKey: made, number: 1, digest: "" };
  await client.transact({
    when: [],
    run: [{ do: "put", key: "/tidewater/edge/state", value: JSON.stringify(state) }],
  });
  const [code, secret] = await ask();
  assert.deepEqual([code, secret], [0, turnSecretOf(made)]);
  assert.match(secret, /^[0-9a-f]{64}$/);
  assert.ok(!secret.includes("aaaa"));
});
