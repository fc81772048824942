import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";
import { newSim, Usim } from "../support/usim.ts";

test("no secret is in a log at the lowest level, in the process list, in an answer or in a file", async (t) => {
  const core = await startCore(t, { args: ["--log-level", "trace"] });
  const secrets = new Map<string, string>();
  const password = "Hunter2-very-secret";
  secrets.set("password", password);
  for (const algorithm of ["md5", "sha256"])
    secrets.set(
      algorithm,
      createHash(algorithm).update(`carol@example.com:example.com:${password}`).digest("hex"),
    );
  await core.addSubscriber({ impi: "carol@example.com", impus: ["sip:carol@example.com"], password });
  const sim = newSim();
  secrets.set("K", sim.k).set("OPc", sim.opc);
  const added = await core.tidewater([
    ...["subscriber", "add", "--url", core.provisioning],
    ...["--impi", "sim@example.com", "--impu", "sip:sim@example.com", "--k", sim.k, "--opc", sim.opc],
  ]);
  assert.equal(added.exitCode, 0, added.stderr);

  const carol = await SipUe.open(t, core, { user: "carol", password });
  let credentials = "";
  const keep = (request: { header(name: "Authorization"): string | undefined }): void => {
    credentials = request.header("Authorization") ?? "";
  };
  assert.equal((await carol.register({ edit: keep })).status, 200);
  for (const name of ["nonce", "response"])
    secrets.set(name, new RegExp(`\\b${name}="([^"]+)"`).exec(credentials)?.[1] ?? "");
  const wrong = await SipUe.open(t, core, { user: "carol", password: "wrong" });
  assert.equal((await wrong.register()).status, 403);
  const usim = new Usim(sim.k, sim.opc);
  const phone = await SipUe.open(t, core, {
    user: "sim",
    password: (nonce) => {
      const outcome = usim.authenticate(nonce);
      if (outcome.kind !== "ok") throw new Error(outcome.kind);
      const { res, ck, ik } = outcome;
      secrets.set("RES", res.toString("hex")).set("CK", ck.toString("hex")).set("IK", ik.toString("hex"));
      return { password: res };
    },
  });
  assert.equal((await phone.register()).status, 200);
  assert.ok(secrets.has("CK"));

  const places = new Map<string, Buffer>();
  for (const path of ["subscribers", "subscribers/carol%40example.com", "subscribers/sim%40example.com"])
    places.set(path, Buffer.from(await (await fetch(`${core.provisioning}/${path}`)).text()));
  for (const body of [`{"impi":"${password}`, JSON.stringify({ impi: "x", password, k: sim.k, other: 1 })]) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${core.provisioning}/subscribers`, { method: "POST", headers, body });
    assert.equal(answer.status, 400);
    places.set(`the answer to ${body.slice(0, 10)}`, Buffer.from(await answer.text()));
  }
  places.set("the process list", execFileSync("ps", ["axww", "-o", "args"]));
  places.set("the logs", Buffer.from(core.output()));
  assert.match(core.output(), /"level":"info"/);
  for (const name of readdirSync(core.stateDir)) {
    const file = join(core.stateDir, name);
    if (statSync(file).isFile()) places.set(name, readFileSync(file));
  }
  for (const [place, content] of places)
    for (const [what, secret] of secrets) {
      assert.notEqual(secret, "", what);
      assert.equal(content.includes(secret), false, `${what} is in ${place}`);
      if (!/^[0-9a-f]{16,}$/.test(secret)) continue;
      assert.equal(content.includes(Buffer.from(secret, "hex")), false, `${what} is in ${place}, as octets`);
    }
});
