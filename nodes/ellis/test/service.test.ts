import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createHealth, loopPacer, metricsRegister, type Service, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { createEllis, ellisOptions } from "../src/index.ts";
import { request } from "./support/ellis-under-test.ts";

const ALICE = { email: "alice@example.com", password: "a long secret", full_name: "Alice" };

function stateDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ellis-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function create(dir: string, options: Record<string, unknown> = {}): Promise<Service> {
  return createEllis(
    ellisOptions.parse({
      ...{ stateDir: dir, port: 0, tlsPort: 0, homestead: "http://127.0.0.1:1", passwordCost: 12 },
      ...options,
    }),
    {
      clock: systemClock(),
      log: memoryLogger("silent"),
      register: metricsRegister(),
      health: createHealth(),
      pacer: loopPacer({ aboveRate: 0, pauseMs: 0 }),
    },
  );
}

test("secrets are made once, for their owner alone, and accounts outlive the process", async (t) => {
  const dir = stateDir(t);
  const secrets = ["ellis-signup-code", "ellis-api-key", "ellis-cookie-key"].map((name) => join(dir, name));
  const content = () => secrets.map((file) => readFileSync(file, "utf8"));
  let before: string[] = [];
  let session = "";
  for (const start of [1, 2]) {
    const service = await create(dir);
    await service.start();
    const url = `http://127.0.0.1:${service.ports?.()["http"]}`;
    if (start === 1) {
      before = content();
      const headers = { "ngv-signup-code": (before[0] ?? "").trim() };
      assert.equal((await request(`${url}/accounts`, "POST", { json: ALICE, headers })).status, 201);
      const login = await request(`${url}/session`, "POST", { json: ALICE });
      session = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    }
    assert.equal((await request(`${url}/session`, "GET", { session })).status, 200);
    await service.stop();
  }
  assert.deepEqual(content(), before);
  assert.equal(new Set(before).size, 3);
  for (const file of secrets) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(join(dir, "ellis.db"), "latin1"), /a long secret/);
});

test("over HTTPS the session cookie is for HTTPS alone", async (t) => {
  const dir = stateDir(t);
  const { certFile, keyFile, cert } = makeCertificate(t, ["localhost"]);
  const service = await create(dir, { tlsCertificate: certFile, tlsKey: keyFile });
  await service.start();
  t.after(() => service.stop());
  const port = service.ports?.()["https"];
  const post = (path: string, fields: object, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; cookies: readonly string[] }>((resolve, reject) => {
      const asked = { method: "POST", ca: cert, headers: { "content-type": "application/json", ...headers } };
      httpsRequest(`https://127.0.0.1:${port}${path}`, asked, (response) => {
        response.resume();
        response.once("end", () =>
          resolve({ status: response.statusCode, cookies: response.headers["set-cookie"] ?? [] }),
        );
      })
        .once("error", reject)
        .end(JSON.stringify(fields));
    });
  const code = readFileSync(join(dir, "ellis-signup-code"), "utf8").trim();
  assert.equal((await post("/accounts", ALICE, { "ngv-signup-code": code })).status, 201);
  const origin = `https://127.0.0.1:${port}`;
  const login = await post("/session", ALICE, { origin });
  assert.equal(login.status, 201);
  assert.match(login.cookies[0] ?? "", /; HttpOnly; SameSite=Lax; Secure$/);
  assert.equal((await post("/session", ALICE, { origin: origin.replace("https", "http") })).status, 403);
});

test("behind a reverse proxy that is trusted, its word on address, scheme and host counts; of others it does not", async (t) => {
  const dir = stateDir(t);
  const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "portal.example.com" };
  for (const [trustedProxies, reason] of [
    [["127.0.0.0/8"], "Incorrect username or password"],
    [["192.0.2.1"], "Not from a page of another site"],
  ] as const) {
    const service = await create(dir, { trustedProxies });
    await service.start();
    const url = `http://127.0.0.1:${service.ports?.()["http"]}/session`;
    const login = (origin: string) => request(url, "POST", { json: ALICE, headers: { ...headers, origin } });
    const asProxied = await login("https://portal.example.com");
    // Nobody has signed up: 403 either way. Why tells whose page it was taken for.
    assert.deepEqual([asProxied.status, asProxied.json["reason"]], [403, reason]);
    await service.stop();
  }
});

test("ellis says which option or file keeps it from starting", async (t) => {
  const dir = stateDir(t);
  const short = join(dir, "short");
  writeFileSync(short, "abc\n");
  chmodSync(short, 0o600);
  for (const [options, message] of [
    [{ homestead: "" }, /^--homestead is needed/],
    [{ tlsKey: short }, /^--tls-certificate goes with --tls-key/],
    [
      { tlsKey: short, tlsCertificate: join(dir, "none") },
      /ELLIS_FILE option=--tls-certificate .*cannot be read/,
    ],
    [{ numbers: ["200-100"] }, /^--numbers .*1 to 10000000 numbers/],
    [{ numbers: ["100-200"], pstnNumbers: ["200-300"] }, /^--pstn-numbers 200-300 overlaps/],
    [{ trustedProxies: ["10.0.0.0/33"] }, /^--trusted-proxies 10\.0\.0\.0\/33 is no address/],
    [{ apiKeyFile: short }, /ELLIS_FILE option=--api-key-file .*at least 16 characters/],
    [{ signupCodeFile: join(dir, "none", "code") }, /ELLIS_FILE option=--signup-code-file .*cannot be made/],
    [{ homesteadTokenFile: join(dir, "none") }, /ELLIS_FILE option=--homestead-token-file/],
  ] as const)
    await assert.rejects(create(dir, options), { name: "EllisError", message });
});
