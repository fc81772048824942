import assert from "node:assert/strict";
import { test } from "node:test";
import { EtcdClient, EtcdError, parseEndpoints } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";

test("endpoints are read with their ports, IPv6 included, each once", () => {
  const text =
    "http://10.0.0.1, https://[2001:DB8::1]:2380,http://10.0.0.1:2379,http://etcd-1.example.com:80";
  assert.deepEqual(
    parseEndpoints(text).map(({ url, secure, host, port }) => [url, secure, host, port]),
    [
      ["http://10.0.0.1:2379", false, "10.0.0.1", 2379],
      ["https://[2001:db8::1]:2380", true, "2001:db8::1", 2380],
      ["http://etcd-1.example.com:80", false, "etcd-1.example.com", 80],
    ],
  );
});

test("what is no endpoint is refused, a password in it is not repeated", () => {
  for (const text of [
    "",
    "10.0.0.1:2379",
    "ftp://a",
    "http://a/v3",
    "http://u:secret@a",
    "http://a:99999",
    "http://a:0",
  ])
    assert.throws(
      () => parseEndpoints(text),
      (error) =>
        error instanceof EtcdError &&
        error.detail.code === "ETCD_ENDPOINT" &&
        !error.message.includes("secret"),
    );
});

test("an etcd that is not there makes requests unavailable within their deadline, never a rejection", async () => {
  const client = new EtcdClient({
    endpoints: parseEndpoints("http://127.0.0.1:1"),
    clock: systemClock(),
    deadlineMs: 250,
  });
  const put = await client.put("a", "b");
  assert.ok(put.kind === "unavailable" && !put.maybeDone);
  assert.match(put.cause.message, /ETCD_UNAVAILABLE.*127\.0\.0\.1:1: ECONNREFUSED/);
  client.close();
});
