import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { PoolMap, RecentPage } from "@ims/api";
import { buildSimservs, readSimservs } from "@ims/ims";
import { chromium } from "playwright-core";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { sippMissing } from "../support/sipp.ts";
import {
  problemsOf,
  runCall,
  runRegistration,
  type SippTarget,
  type SippUser,
} from "../support/sipp-call.ts";

const run = promisify(execFile);
const CHROMIUM = "/usr/bin/chromium";
const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

interface Given extends SippUser {
  readonly sipUri: string;
  readonly privateId: string;
}

describe("self-provisioning through ellis, by curl and SIPp", { skip }, () => {
  let core: CoreUnderTest;
  let jar = "";
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    core = await launchCore({ args: ["--no-examples", "--mmtel", "--ellis"] });
    jar = join(core.stateDir, "cookies");
  });
  after(() => core?.stop());

  const where = (): SippTarget => ({
    target: `${core.sip.host}:${core.sip.udpPort}`,
    domain: core.domain,
    transport: "udp",
  });

  /** Status and body of a request with the cookies of the jar, as tools make it. */
  async function curl(path: string, ...args: string[]): Promise<{ status: string; body: string }> {
    const asked = ["-s", "-b", jar, "-c", jar, "-w", "\\n%{http_code}", ...args];
    const { stdout } = await run("curl", [...asked, `http://${core.host}:8080${path}`]);
    const at = stdout.lastIndexOf("\n");
    return { status: stdout.slice(at + 1), body: stdout.slice(0, at) };
  }

  const user = (): string => `system.test@${core.domain}`;
  const numbers = (rest = ""): string => `/accounts/${user()}/numbers${rest}`;
  const numberPath = ({ sipUri }: Given, rest = ""): string =>
    numbers(`/${encodeURIComponent(sipUri)}${rest}`);

  async function number(...form: string[]): Promise<Given> {
    const { status, body } = await curl(numbers("/"), "-d", "pstn=false", ...form);
    assert.equal(status, "200", body);
    const given = JSON.parse(body) as Record<string, string>;
    return {
      name: given["sip_username"] ?? "",
      password: given["sip_password"] ?? "",
      sipUri: given["sip_uri"] ?? "",
      privateId: given["private_id"] ?? "",
    };
  }

  test("an account is signed up and logged in, as the tools that grew around Clearwater do it", async () => {
    const credentials = ["-d", `username=${user()}`, "-d", "password=Please enter your details"];
    assert.equal((await curl("/session", ...credentials)).status, "403");
    const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
    const more = ["-d", "full_name=System Test", "-d", `email=${user()}`];
    const made = await curl("/accounts", ...credentials, ...more, "-d", `signup_code=${code}`);
    assert.equal(made.status, "201", made.body);
    assert.equal((await curl("/session", ...credentials)).status, "201");
    assert.deepEqual(JSON.parse((await curl(numbers())).body), { numbers: [] });
  });

  test("a number of the pool registers with the password that came with it, calls, and is barred by its simservs document", async () => {
    const [caller, callee] = [await number(), await number()];
    assert.match(callee.name, /^6505551\d{3}$/);
    const registered = await runRegistration(where(), { name: "register" }, callee);
    assert.equal(registered.exitCode, 0, registered.errors);
    const answered = await runCall(where(), {
      ...{ caller, callee, scenario: { name: "uac-call" }, callees: [{ name: "uas-answer" }] },
    });
    assert.deepEqual(problemsOf(answered), []);

    const rule = { id: "all", conditions: [], action: { allow: false } };
    const document = buildSimservs({ incomingBarring: { active: true, rules: [rule] } });
    const put = await curl(numberPath(callee, "/simservs"), "-X", "PUT", "--data-binary", document);
    assert.equal(put.status, "200", put.body);
    assert.equal((await curl(numberPath(callee, "/simservs"))).body, document);
    const barred = await runCall(where(), {
      ...{ caller, callee, scenario: { name: "uac-refused", fill: { CODE: "603" } }, callees: [] },
    });
    assert.deepEqual(problemsOf(barred), []);

    // Without filter criteria nobody asks for the settings any more.
    const none = await curl(numberPath(callee, "/ifcs"), "-X", "PUT", "-d", "<ServiceProfile/>");
    assert.equal(none.status, "200", none.body);
    const open = await runCall(where(), {
      ...{ caller, callee, scenario: { name: "uac-call" }, callees: [{ name: "uas-answer" }] },
    });
    assert.deepEqual(problemsOf(open), []);
  });

  test("a password made anew counts at once, and a number that is taken back is nobody's", async () => {
    const one = await number();
    const alias = await number("-d", `private_id=${one.privateId}`);
    assert.equal(alias.password, "");
    const reset = await curl(numberPath(alias, "/password"), "-X", "POST");
    const password = (JSON.parse(reset.body) as Record<string, string>)["sip_password"] ?? "";
    const old = await runRegistration(where(), { name: "register-wrong-password" }, one);
    assert.equal(old.exitCode, 0, old.errors);
    const renewed = await runRegistration(where(), { name: "register" }, { ...one, password });
    assert.equal(renewed.exitCode, 0, renewed.errors);
    assert.equal((await curl(numberPath(one), "-X", "DELETE")).status, "409");
    for (const each of [alias, one])
      assert.equal((await curl(numberPath(each), "-X", "DELETE")).status, "200");
    const gone = await runRegistration(where(), { name: "register-unknown-user" }, { ...one, password });
    assert.equal(gone.exitCode, 0, gone.errors);
  });

  test("in a browser: an account, a number whose password is shown once and registers, services, a new password, and nothing left", {
    skip: existsSync(CHROMIUM) ? false : "Chromium is not installed (scripts/install-test-tools)",
  }, async (t) => {
    const profile = mkdtempSync(join(tmpdir(), "tidewater-chromium-"));
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
    });
    t.after(async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    });
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("dialog", (dialog) => void dialog.accept());
    await page.goto(`http://${core.host}:8080/`);
    const signup = page.locator("#signup");
    await signup.locator("[name=full_name]").fill("<b>Eve</b>");
    await signup.locator("[name=email]").fill(`eve@${core.domain}`);
    await signup.locator("[name=password]").fill("a long secret");
    await signup.locator("[name=signup_code]").fill("guess");
    await signup.locator("button").click();
    await page.locator("#message.wrong", { hasText: "signup code" }).waitFor();
    await signup
      .locator("[name=signup_code]")
      .fill(readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim());
    await signup.locator("button").click();
    await page.locator("#name", { hasText: "<b>Eve</b>" }).waitFor();

    await page.locator("#allocate").click();
    const item = page.locator("#list li");
    const password = (await item.locator("dd.password").textContent()) ?? "";
    const impi = (await item.locator(".private-id").textContent()) ?? "";
    const name = impi.split("@")[0] ?? "";
    const registered = await runRegistration(where(), { name: "register" }, { name, password });
    assert.equal(registered.exitCode, 0, registered.errors);

    await item.locator(".listed").check();
    await item.locator(".services summary").click();
    await item.locator("[name=incoming]").check();
    await item.locator("[name=hide]").check();
    await item.locator("[name=divert]").fill("6505559999");
    await item.locator(".services button").click();
    await page.locator("#message", { hasText: "Saved." }).waitFor();
    const cookies = await browser.cookies();
    const cookie = cookies.map((each) => `${each.name}=${each.value}`).join("; ");
    const path = `/accounts/eve@${core.domain}/numbers/sip:${impi}/simservs`;
    const read = readSimservs(
      await (await fetch(`http://${core.host}:8080${path}`, { headers: { cookie } })).text(),
    );
    assert.ok(read.kind === "simservs", JSON.stringify(read));
    const { originatingIdentityRestriction, incomingBarring, outgoingBarring, communicationDiversion } =
      read.simservs;
    assert.deepEqual(originatingIdentityRestriction, { active: true, restricted: true });
    assert.equal(incomingBarring?.rules[0]?.action.allow, false);
    assert.equal(outgoingBarring, undefined);
    assert.equal(communicationDiversion?.rules[0]?.action.target, `sip:6505559999@${core.domain}`);

    // After a reload the session is there, the settings are shown, the password is not.
    await page.reload();
    assert.equal(await item.locator(".listed").isChecked(), true);
    assert.equal(await item.locator("dd.password").isVisible(), false);
    await item.locator(".services summary").click();
    await item.locator("[name=incoming]:checked").waitFor();
    assert.equal(await item.locator("[name=divert]").inputValue(), `sip:6505559999@${core.domain}`);
    await page.locator("#book summary").click();
    await page.locator("#contacts li", { hasText: `<b>Eve</b>: sip:${impi}` }).waitFor();
    await item.locator(".new-password").click();
    await item.locator("dd.password").waitFor();
    assert.notEqual(await item.locator("dd.password").textContent(), password);

    await page.locator("#leave").click();
    await page.locator("#login").waitFor();
    assert.deepEqual(faults, []);
    const gone = await fetch(`${core.provisioning}/subscribers/${encodeURIComponent(impi)}`);
    assert.equal(gone.status, 404);
  });

  test("its portal knows the nodes that run beside it, itself too, and what they keep of calls", async () => {
    const key = readFileSync(join(core.stateDir, "ellis-api-key"), "utf8").trim();
    const ask = async <T>(path: string) => {
      const { status, body } = await curl(`/staff/core/${path}`, "-H", `NGV-API-Key: ${key}`);
      assert.equal(status, "200", body);
      return JSON.parse(body) as T;
    };
    const { pools } = await ask<PoolMap>("pools");
    assert.deepEqual(
      pools.map(({ name, members }) => [name, members.map(({ state }) => state)]),
      ["bono", "sprout", "homestead", "homer", "ellis"].map((name) => [name, ["ready"]]),
    );
    const { exchanges, problems } = await ask<RecentPage>("recent");
    assert.deepEqual(problems, []);
    const states = new Set(exchanges.map(({ kind, state }) => `${kind} ${state}`));
    for (const expected of ["registration registered", "call ended", "call failed"])
      assert.ok(states.has(expected), `${expected}: ${[...states]}`);
  });

  test("an ellis that is killed is started again, with its accounts, sessions and numbers", async () => {
    const before = (await curl(numbers())).body;
    assert.match(before, /sip_uri/);
    process.kill(core.nodes.find(({ name }) => name === "ellis")?.pid ?? assert.fail("no ellis"), "SIGKILL");
    let answer = { status: "", body: "" };
    for (let turn = 0; turn < 100 && answer.status !== "200"; turn++) {
      await delay(100);
      answer = await curl(numbers()).catch(() => ({ status: "", body: "" }));
    }
    assert.equal(answer.body, before);
    assert.equal((await curl(`/accounts/${user()}`, "-X", "DELETE")).status, "204");
    const { subscribers } = (await (await fetch(`${core.provisioning}/subscribers`)).json()) as {
      subscribers: unknown[];
    };
    assert.deepEqual(subscribers, []);
  });
});
