import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { startFlood } from "../support/flood.ts";
import { SipUe } from "../support/sip-ue.ts";

const CONNECTIONS = 120;
const ROUNDS = 40;
/** Enough that a page of them takes a while to write. */
const SUBSCRIBERS = 500;

describe("a flood over HTTP", () => {
  let core: CoreUnderTest;
  before(async () => {
    core = await launchCore({ args: ["--mmtel"] });
    const subscribers = Array.from({ length: SUBSCRIBERS }, (_, index) => ({
      impi: `many${index}@example.com`,
      publicIdentities: [{ impu: `sip:many${index}@example.com` }],
      credentials: { password: "secret word" },
    }));
    const imported = await fetch(`${core.provisioning}/subscribers/import`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ dryRun: false, partial: false, subscribers }),
    });
    assert.equal(imported.status, 200, await imported.text());
  });
  after(() => core?.stop());

  /** Registers and deregisters again and again; every answer is the one that is due. */
  async function register(t: TestContext): Promise<void> {
    const ue = await SipUe.open(t, core, { user: "6505550000" });
    for (let round = 0; round < ROUNDS; round++) {
      const accepted = await ue.register({ rounds: 1 });
      assert.equal(accepted.status, 200, `round ${round}`);
      assert.equal((await ue.register({ rounds: 1, expires: 0 })).status, 200, `round ${round}`);
    }
  }

  async function metric(port: number, name: string): Promise<number> {
    const text = await (await fetch(`http://${core.host}:${port}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  test("on provisioning leaves SIP registration undisturbed, and is refused with 503", async (t) => {
    const stop = startFlood(t, `${core.provisioning}/subscribers?limit=500`, CONNECTIONS);
    await register(t);
    const refused = await metric(9103, "ims_homestead_http_refused_total");
    const counts = await stop();
    t.diagnostic(JSON.stringify(counts));
    assert.ok((counts["503"] ?? 0) > 0 && refused > 0, "the flood was too small to be refused");
    assert.equal(counts["500"], undefined);
    // Afterwards everybody is served again.
    for (let tries = 0; (await metric(9103, "ims_homestead_http_admission_rate")) !== 0; tries++) {
      assert.ok(tries < 100, "the limit ends");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal((await fetch(`${core.provisioning}/subscribers/6505550000%40example.com`)).status, 200);
  });

  test("on XCAP leaves SIP registration undisturbed, and the core reads documents meanwhile", async (t) => {
    const ut = `http://${core.host}:7887/simservs.ngn.etsi.org/users/sip:6505550000@example.com/simservs.xml`;
    const stop = startFlood(t, ut, CONNECTIONS);
    const document = ut.replace("7887", "7888");
    const read = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        const status = (await fetch(document)).status;
        assert.ok(status === 200 || status === 404, `${status}`);
      }
    };
    await Promise.all([register(t), read()]);
    const counts = await stop();
    t.diagnostic(JSON.stringify(counts));
    assert.ok((counts["401"] ?? 0) + (counts["503"] ?? 0) > 0);
    assert.equal(counts["500"], undefined);
  });
});
