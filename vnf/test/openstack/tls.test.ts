import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openHttp } from "../../src/openstack/http.ts";

test("a certificate nobody vouches for is refused before anything is sent, and accepted with its CA", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, "k.pem"), join(folder, "c.pem")];
  const subject = ["-subj", "/CN=keystone", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
      "-days",
      "2",
      ...subject,
    ],
    { stdio: "ignore" },
  );
  let asked = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
    asked++;
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v3`;
  const send = async (options: Parameters<typeof openHttp>[0]) => {
    const http = openHttp(options);
    try {
      return await http.send({
        service: "keystone",
        method: "POST",
        url,
        headers: {},
        body: "secret",
        timeoutMs: 5_000,
      });
    } finally {
      await http.close();
    }
  };
  await assert.rejects(
    send({ verify: true }),
    /keystone at https:\/\/127\.0\.0\.1:\d+: its certificate is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\); give the CA/,
  );
  assert.equal(asked, 0);
  assert.equal((await send({ verify: true, ca: readFileSync(cert, "utf8") })).status, 200);
  assert.equal((await send({ verify: false })).status, 200);
});
