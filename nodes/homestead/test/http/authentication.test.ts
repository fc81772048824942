import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { type DigestProof, ProvisioningClient, ProvisioningError } from "@ims/api";
import { memoryLogger } from "@ims/runtime/testing";
import { provisioningServer } from "../../src/http/provisioning-server.ts";
import { startCx } from "../cx/cx-under-test.ts";

function proofOf(password: string, algorithm: "MD5" | "SHA-256"): DigestProof {
  const name = algorithm === "MD5" ? "md5" : "sha256";
  const fields = { realm: "example.com", nonce: "n", cnonce: "c", nc: "00000001", qop: "auth" as const };
  const [method, uri] = ["GET", "/a/users/sip:alice@example.com/b.xml"];
  const ha1 = hash(name, `alice@example.com:example.com:${password}`);
  const response = hash(name, `${ha1}:n:00000001:c:auth:${hash(name, `${method}:${uri}`)}`);
  return { ...fields, algorithm, method, uri, response };
}

test("RFC 7616 §3.4: who knows the password is told from who does not, and no hash leaves the process", async (t) => {
  const cx = await startCx(t);
  const http = provisioningServer(
    { address: "127.0.0.1", port: 0, token: undefined, realm: "example.com" },
    { subscribers: cx.hss, node: cx.server, servers: cx.servers, log: memoryLogger("silent") },
  );
  await http.start();
  t.after(() => http.stop());
  cx.add({
    impi: "alice@example.com",
    impus: [
      "sip:Alice@Example.com;user=phone",
      "tel:+49-30-1",
      { impu: "sip:barred@example.com", barred: true },
      "sip:!.*!@pbx.example.com",
    ],
  });
  const client = new ProvisioningClient(`http://127.0.0.1:${http.port}`, undefined, 5_000);
  const publicIdentities = ["sip:Alice@example.com", "tel:+49301"];
  for (const algorithm of ["MD5", "SHA-256"] as const) {
    assert.deepEqual(await client.verifyDigest("alice@EXAMPLE.com", proofOf("secret", algorithm)), {
      authenticated: true,
      publicIdentities,
    });
    assert.deepEqual(await client.verifyDigest("alice@example.com", proofOf("wrong", algorithm)), {
      authenticated: false,
    });
  }
  const other = { ...proofOf("secret", "MD5"), realm: "example.org" };
  assert.deepEqual(await client.verifyDigest("alice@example.com", other), { authenticated: false });
  assert.deepEqual(await client.verifyDigest("nobody@example.com", proofOf("secret", "MD5")), {
    authenticated: false,
  });
  assert.deepEqual(await client.ownerOf("tel:+49-30-1"), { impi: "alice@example.com", publicIdentities });
  for (const unknown of ["sip:nobody@example.com", "nobody"])
    await assert.rejects(client.ownerOf(unknown), (error) => error instanceof ProvisioningError);
});
