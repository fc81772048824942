import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Ladders } from "@ims/api";
import type { Page } from "playwright-core";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { endProgram } from "../support/program.ts";
import { SipUe } from "../support/sip-ue.ts";

const ELLIS = join(import.meta.dirname, "../../nodes/ellis/bin/ellis.ts");
const STAFF = "ann@example.com";
const SECTIONS = ["live", "ladders", "ladders/6505550000/2", "doctor/6505550000", "pools", "alarms"];

describe("what the portal shows of a core of pools, in a browser", { skip: noBrowser }, () => {
  let pools: PoolsUnderTest;
  let ellis: ReturnType<typeof spawn>;
  let url = "";
  let password = "";

  before(async () => {
    pools = await launchPools([
      "--pools",
      "bono=1,sprout=2,homestead=1",
      "--stores",
      "memcached",
      "--no-restart",
    ]);
    const options = {
      "--port": "0",
      "--management-port": "0",
      "--state-dir": join(pools.stateDir, "ellis"),
      "--home-domain": pools.domain,
      "--homestead": `http://${pools.network}.3.1:8889`,
      "--core-pools-file": pools.poolsFile,
      "--log-level": "warn",
    };
    ellis = spawn(process.execPath, [ELLIS, ...Object.entries(options).flat()], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [ready] = (await Promise.race([
      once(ellis, "message"),
      once(ellis, "exit").then(() => assert.fail("ellis has ended")),
    ])) as [{ readonly ports: { readonly http: number } }];
    url = `http://127.0.0.1:${ready.ports.http}`;
    const key = readFileSync(join(pools.stateDir, "ellis/ellis-api-key"), "utf8").trim();
    const made = await fetch(`${url}/staff/accounts`, {
      method: "POST",
      headers: { "ngv-api-key": key, "content-type": "application/json" },
      body: JSON.stringify({ email: STAFF, role: "viewer" }),
    });
    const said = (await made.json()) as { readonly password?: string };
    assert.equal(made.status, 201, JSON.stringify(said));
    password = said.password ?? "";
  });
  after(async () => {
    await endProgram(ellis, 30_000);
    await pools?.stop();
  });

  test("a viewer sees a ladder grow, the call in progress, a sprout that was killed and the alarm of it, and what the doctor says of a wrong password", async (t) => {
    const browser = await launchBrowser(t);
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const faults: string[] = [];
    const listen = (one: Page): void => {
      one.on("pageerror", (error) => faults.push(String(error)));
      one.on("console", (message) => {
        if (/Content Security Policy|Uncaught/.test(message.text())) faults.push(message.text());
      });
    };
    listen(page);
    await page.goto(`${url}/staff`);
    await page.locator("#login-form [name=email]").fill(STAFF);
    await page.locator("#login-form [name=password]").fill(password);
    await page.locator("#login-form button").click();
    await page.locator("#sections a", { hasText: "Ladders" }).click();

    // Nothing is known yet; then it grows.
    await page.locator("[name=key]").fill("6505550000");
    await page.locator("form button", { hasText: "Show" }).press("Enter");
    await page.locator("[role=status]", { hasText: "Nothing is known of this name yet" }).waitFor();
    await page.evaluate("globalThis.sameDocument = true");
    const [alice, bob] = [
      await SipUe.open(t, pools.bono(1), { user: "6505550000" }),
      await SipUe.open(t, pools.bono(1), { user: "6505550001" }),
    ];
    for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
    const register = page.locator(".exchange", { has: page.locator("h2", { hasText: "REGISTER" }) });
    await register.locator("h2", { hasText: "200 OK" }).waitFor();
    await register.locator("li", { hasText: "MAR" }).first().waitFor();
    const call = await establish(alice, bob, bob.impu);
    const ladder = page.locator(".exchange", { has: page.locator("h2", { hasText: "INVITE" }) });
    await ladder.locator("li", { hasText: "200 OK (INVITE)" }).last().waitFor();
    await ladder.locator("svg[role=img] text.name").first().waitFor();
    assert.equal(await ladder.locator("li", { hasText: "BYE" }).count(), 0);

    // The message itself, when it is asked for; what was opened stays open while the ladder grows.
    const message = ladder.locator("li details", { hasText: "INVITE sip:6505550001@" }).first();
    await message.locator("summary").focus();
    await page.keyboard.press("Enter");
    await message.locator("pre", { hasText: /CSeq: \d+ INVITE/ }).waitFor();
    const answered = register.locator("li details", { hasText: "REGISTER sip:" }).last();
    await answered.locator("summary").click();
    await answered.locator("pre", { hasText: "Authorization" }).waitFor();
    assert.doesNotMatch((await answered.locator("pre").textContent()) ?? "", /response="?[0-9a-f]{16}/);

    // Another page: who calls whom now.
    const live = await browser.newPage();
    listen(live);
    await live.goto(`${url}/staff#live`);
    const row = live.locator("tr[data-state=in-progress]", { hasText: alice.impu });
    await row.waitFor();
    await live.locator(".total", { hasText: "calls in progress 1" }).waitFor();
    await live.locator(".registrations li[data-state=registered]", { hasText: alice.impu }).first().waitFor();

    alice.send(call.inDialog("caller", "BYE"));
    reply(bob, await bob.incoming("BYE"), 200);
    await alice.final("BYE");
    await ladder.locator("li", { hasText: "200 OK (BYE)" }).last().waitFor();
    assert.equal(await message.locator("pre").isVisible(), true);
    assert.equal(await page.evaluate("globalThis.sameDocument"), true, "without a reload");
    // What has grown step by step is what is there when it is asked for at once.
    const whole = (await page.evaluate(
      "fetch('/staff/core/ladders?key=6505550000&last=3').then((answer) => answer.json())",
    )) as Ladders;
    for (const { method, rungs } of whole.ladders) {
      const grown = method === "INVITE" ? ladder : register;
      const steps = grown.locator("ol.rungs > li");
      await steps.nth(rungs.length - 1).waitFor();
      assert.equal(await steps.count(), rungs.length, method);
      assert.ok(rungs.some(({ node }) => node.startsWith("sprout")));
    }
    assert.equal(whole.ladders.length, 2);
    await row.waitFor({ state: "detached" });
    await live.close();

    const downloading = page.waitForEvent("download");
    await page.locator("button", { hasText: "Capture file" }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), "6505550000.pcapng");
    assert.equal(readFileSync(await download.path()).readUInt32BE(0), 0x0a0d0d0a);

    // A wrong password.
    const mallory = await SipUe.open(t, pools.bono(1), { user: "6505550001", password: "wrong" });
    assert.equal((await mallory.register()).status, 403);
    await page.goto(`${url}/staff#doctor/${encodeURIComponent(mallory.callId)}`);
    const diagnosis = page.locator("[data-id=wrong-password]");
    await diagnosis.locator("ol li").first().waitFor();
    await diagnosis.locator("summary", { hasText: "Evidence" }).click();
    await diagnosis.locator("details li", { hasText: "403" }).first().waitFor();

    // A sprout is killed.
    await page.locator("#sections a", { hasText: "Pools" }).click();
    await page.locator(".total", { hasText: "4 of 4 nodes are ready" }).waitFor();
    const victim = page.locator("[data-pool=sprout] tr", { hasText: "sprout-2" });
    assert.match((await victim.textContent()) ?? "", /ready.*processor|ready.*memory/s);
    process.kill(pools.nodes.find(({ name }) => name === "sprout-2")?.pid ?? 0, "SIGKILL");
    await victim.locator("td", { hasText: "unreachable" }).waitFor();
    await page.locator(".total", { hasText: "3 of 4" }).waitFor();
    await page.locator("#sections a", { hasText: "Alarms" }).click();
    const alarm = page.locator(".alarms li", { hasText: `${pools.network}.2.2` }).first();
    // Somebody has to want it first.
    const wanting = setInterval(() => void alice.register().catch(() => undefined), 300);
    t.after(() => clearInterval(wanting));
    await alarm.waitFor();
    clearInterval(wanting);
    await alarm.locator("summary").click();
    await alarm.locator("dt", { hasText: "What to do" }).waitFor();
    await page.locator(".problems li", { hasText: "sprout-2 does not answer" }).waitFor();

    // On a narrow screen, in the dark, nothing is wider than the page.
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme: "dark" });
    for (const section of SECTIONS) {
      await page.goto(`${url}/staff#${section}`);
      await page.locator("#content :is(table, .exchange, .alarms)").first().waitFor({ state: "attached" });
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      assert.ok(Number(wide) <= 320, `${section}: ${wide}`);
    }
    assert.deepEqual(faults, []);
  });
});
