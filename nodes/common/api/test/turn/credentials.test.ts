import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { turnCredentials, turnUser } from "@ims/api";

const SECRET = "north of the tide, 22+";
const URIS = ["turn:turn.example.com:3478?transport=udp"];
const NOW = 1_700_000_000_000;

test("TURN REST API §2.2: the password is the HMAC-SHA1 of time and user under the shared secret, as openssl computes it", () => {
  const given = turnCredentials({ secret: SECRET, user: "alice", now: NOW, ttlSeconds: 3600, uris: URIS });
  assert.match(given.username, /^[0-9]{10}:alice$/);
  const openssl = execFileSync("openssl", ["dgst", "-sha1", "-hmac", SECRET, "-binary"], {
    input: given.username,
  });
  assert.equal(given.password, openssl.toString("base64"));
  assert.equal(Number(given.username.split(":")[0]), NOW / 1000 + given.ttl);
  assert.ok(given.ttl > 3600 && given.ttl <= 3900, `${given.ttl} s`);
  assert.deepEqual(given.uris, URIS);
});

test("who asks again within five minutes is told the same, later another; two users never the same", () => {
  const at = (now: number, user = "alice") =>
    turnCredentials({ secret: SECRET, user, now, ttlSeconds: 600, uris: URIS });
  const begin = Math.ceil(NOW / 300_000) * 300_000;
  assert.equal(at(begin).password, at(begin + 299_999).password);
  assert.notEqual(at(begin).password, at(begin + 300_000).password);
  assert.notEqual(at(begin).password, at(begin, "bob").password);
});

test("a user's name for TURN does not tell who it is, and is the same each time", () => {
  const name = turnUser(SECRET, "alice@example.com");
  assert.match(name, /^[0-9a-f]{16}$/);
  assert.equal(turnUser(SECRET, "alice@example.com"), name);
  assert.notEqual(turnUser(SECRET, "bob@example.com"), name);
});
