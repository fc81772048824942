import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ProvisioningClient, ProvisioningError } from "@ims/api";
import { selfSigned, startNode } from "@ims/diameter/testing";
import {
  CredentialError,
  createHealth,
  metricsRegister,
  openCoreTls,
  type Service,
  systemClock,
} from "@ims/runtime";
import { memoryLogger, type TestCertificate, testAuthority } from "@ims/runtime/testing";
import { cxPeers } from "../src/cx-peers.ts";
import { createHomestead, HomesteadError, type HomesteadOptions, homesteadOptions } from "../src/index.ts";

function stateDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "homestead-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function create(dir: string, options: Partial<HomesteadOptions>): Promise<Service> {
  const defaults = homesteadOptions.parse({ stateDir: dir, diameterPort: 0, provisioningPort: 0 });
  return createHomestead(
    { ...defaults, ...options },
    {
      clock: systemClock(),
      log: memoryLogger("silent"),
      register: metricsRegister(),
      health: createHealth(),
      pacer: { received: () => undefined },
    },
  );
}

function refusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HomesteadError && error.detail.code === code;
}

test("the example subscribers are there on loopback, their password is not kept, the key file is private", async (t) => {
  const dir = stateDir(t);
  for (let start = 0; start < 2; start++) {
    const service = await create(dir, { seedExamples: true });
    await service.start();
    const client = new ProvisioningClient(`http://127.0.0.1:${service.ports?.()["provisioning"]}`);
    const { subscribers } = await client.list({});
    assert.deepEqual(
      subscribers.map(({ impi }) => impi),
      ["6505550000@example.com", "6505550001@example.com"],
    );
    await service.stop();
  }
  assert.equal(statSync(join(dir, "subscribers.key")).mode & 0o777, 0o600);
});

test("the example subscribers are refused as soon as anything but loopback is bound", async (t) => {
  const dir = stateDir(t);
  await assert.rejects(
    create(dir, { seedExamples: true, host: "0.0.0.0" }),
    refusal("EXAMPLES_BEYOND_LOOPBACK"),
  );
  const seeded = await create(dir, { seedExamples: true });
  await seeded.start();
  await seeded.stop();
  await assert.rejects(create(dir, { host: "0.0.0.0" }), refusal("EXAMPLES_BEYOND_LOOPBACK"));
  await assert.rejects(create(dir, { managementAddress: "::" }), refusal("EXAMPLES_BEYOND_LOOPBACK"));
});

test("the provisioning API needs a token where others can reach it, and checks it", async (t) => {
  const dir = stateDir(t);
  await assert.rejects(create(dir, { provisioningHost: "0.0.0.0" }), refusal("PROVISIONING_WITHOUT_TOKEN"));
  const provisioningTokenFile = join(dir, "token");
  await assert.rejects(create(dir, { provisioningTokenFile }), refusal("TOKEN_FILE"));
  writeFileSync(provisioningTokenFile, "short\n");
  await assert.rejects(create(dir, { provisioningTokenFile }), refusal("TOKEN_FILE"));
  writeFileSync(provisioningTokenFile, "0123456789abcdef\n");
  const service = await create(dir, { provisioningTokenFile });
  await service.start();
  t.after(() => service.stop());
  const url = `http://127.0.0.1:${service.ports?.()["provisioning"]}`;
  assert.deepEqual(await new ProvisioningClient(url, "0123456789abcdef").list({}), { subscribers: [] });
  for (const token of [undefined, "0123456789abcdeg"]) {
    await assert.rejects(
      new ProvisioningClient(url, token).list({}),
      (error) =>
        error instanceof ProvisioningError &&
        error.detail.code === "PROVISIONING_REFUSED" &&
        error.detail.status === 401,
    );
  }
});

test("a key file that others can read, or of another size, is refused", async (t) => {
  const dir = stateDir(t);
  const file = join(dir, "subscribers.key");
  writeFileSync(file, Buffer.alloc(32), { mode: 0o644 });
  await assert.rejects(create(dir, {}), refusal("KEY_FILE"));
  chmodSync(file, 0o600);
  writeFileSync(file, "short");
  await assert.rejects(create(dir, {}), refusal("KEY_FILE"));
});

test("only this machine and the peers named may ask over Cx", () => {
  const may = cxPeers("192.0.2.1", ["198.51.100.0/24", "2001:db8::/32"]);
  for (const address of [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "192.0.2.1",
    "198.51.100.7",
    "2001:db8::5",
  ]) {
    assert.equal(may(address), true, address);
  }
  for (const address of ["192.0.2.2", "198.51.101.1", "2001:db9::1", "nonsense", ""]) {
    assert.equal(may(address), false, address);
  }
  for (const bad of ["example.com", "10.0.0.0/33", "10.0.0.0/x", ""]) {
    assert.throws(() => cxPeers("127.0.0.1", [bad]), refusal("CX_PEERS"), bad);
  }
});

test("RFC 6733 §13.1: Cx over TLS when there is a certificate", async (t) => {
  const dir = stateDir(t);
  const { cert, key } = selfSigned();
  writeFileSync(join(dir, "cert.pem"), cert);
  writeFileSync(join(dir, "key.pem"), key);
  const files = { tlsCertificate: join(dir, "cert.pem"), tlsKey: join(dir, "key.pem"), diameterTlsPort: 0 };
  await assert.rejects(create(dir, { ...files, tlsKey: join(dir, "none") }), refusal("TLS_FILE"));
  const service = await create(dir, files);
  await service.start();
  t.after(() => service.stop());
  const cscf = startNode(t, "sprout.example.com");
  cscf.addPeer({
    host: "127.0.0.1",
    port: service.ports?.()["diameterTls"] ?? 0,
    tls: { rejectUnauthorized: false },
  });
  cscf.start();
  assert.equal(await cscf.whenConnected(5000), true);
});

test("TS 33.210 §5: Cx over TLS among nodes of the core, for CSCFs with a certificate of their address alone, and not in the clear", async (t) => {
  const dir = stateDir(t);
  const authority = testAuthority(t);
  const { cert: _, key: _key, ca: _ca, ...files } = authority.issue({ names: "IP:127.0.0.1" });
  const options = { coreTls: "require", diameterTlsPort: 0, ...files } as const;
  await assert.rejects(create(dir, { ...options, coreTlsKey: join(dir, "none") }), CredentialError);
  await assert.rejects(
    create(dir, { ...options, tlsCertificate: files.coreTlsCertificate, tlsKey: files.coreTlsKey }),
    refusal("TLS_TWICE"),
  );
  const service = await create(dir, options);
  await service.start();
  t.after(() => service.stop());
  assert.equal(service.ports?.()["diameter"], undefined);
  const connects = async (from: TestCertificate, name: string): Promise<boolean> => {
    const { clock, log } = { clock: systemClock(), log: memoryLogger() };
    const tls = openCoreTls({ ...from, coreTls: "use" }, {}, { clock, log });
    assert.ok(tls);
    t.after(() => tls.stop());
    const cscf = startNode(t, name);
    cscf.addPeer({
      host: "127.0.0.1",
      port: service.ports?.()["diameterTls"] ?? 0,
      tls: tls.clientOptions(),
    });
    cscf.start();
    return cscf.whenConnected(name === "sprout-1.example.com" ? 5_000 : 500);
  };
  assert.equal(await connects(authority.issue({ names: "IP:127.0.0.1" }), "sprout-1.example.com"), true);
  assert.equal(await connects(authority.issue({ names: "IP:127.0.0.9" }), "sprout-2.example.com"), false);
  assert.equal(
    await connects(testAuthority(t).issue({ names: "IP:127.0.0.1" }), "sprout-3.example.com"),
    false,
  );
});
