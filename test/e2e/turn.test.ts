import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TurnCredentials, turnCredentials, turnCredentialsSchema } from "@ims/api";
import { launchBrowser, noBrowser, openUe, type PageUe, servePage } from "../support/browser.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";

declare const ue: PageUe;

const noCoturn =
  spawnSync("turnutils_uclient", ["-h"]).error === undefined
    ? false
    : "coturn is not installed (scripts/install-test-tools)";

let core: CoreUnderTest;
let given: TurnCredentials;
before(async () => {
  if (noCoturn !== false) return;
  core = await launchCore({ args: ["--ellis", "--turn"] });
  given = await credentialsFromEllis();
});
after(() => core?.stop());

/** What ellis gives a user who has signed up and logged in. */
async function credentialsFromEllis(): Promise<TurnCredentials> {
  const ellis = `http://${core.host}:8080`;
  const account = { email: "alice@example.com", password: "a long secret", full_name: "Alice" };
  const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${ellis}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(account),
    });
  assert.equal((await post("/accounts", { "ngv-signup-code": code })).status, 201);
  const login = await post("/session");
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const answer = await fetch(`${ellis}/turn-credentials`, { headers: { cookie } });
  assert.equal(answer.status, 200);
  return turnCredentialsSchema.parse(await answer.json());
}

/** Two allocations that talk to each other, or one that talks to a peer, by the client that comes with coturn. */
function turnClient({ username, password }: TurnCredentials, args: readonly string[]) {
  const all = ["-u", username, "-w", password, "-n", "5", "-m", "1", "-c", ...args, core.host];
  const ended = spawnSync("turnutils_uclient", all, { encoding: "utf8", timeout: 20_000 });
  return { ...ended, said: `${ended.stdout}${ended.stderr}` };
}

test("TURN (RFC 8656): two browsers that may use relays only call and hear each other, with credentials that ellis gave", {
  skip: noBrowser || noCoturn,
}, async (t) => {
  const { username, password: credential, uris: urls } = given;
  const peerConnection = {
    iceServers: [{ urls, username, credential }],
    iceTransportPolicy: "relay" as const,
  };
  const [page, browser] = [await servePage(t), await launchBrowser(t)];
  const server = `ws://${core.host}:${core.sip.wsPort}`;
  const alice = await openUe(browser, page, core, { server, user: "6505550000", peerConnection });
  const bob = await openUe(browser, page, core, { server, user: "6505550001", peerConnection });
  await alice.evaluate((uri) => ue.call(uri), `sip:6505550001@${core.domain}`);
  for (const tab of [alice, bob])
    await tab
      .waitForFunction(() => ue.state() === "Established", undefined, { timeout: 20_000 })
      .catch(async (error: unknown) => {
        assert.fail(
          `${String(error)}: ${JSON.stringify(await tab.evaluate(() => ue.log()))}\n${core.output()}`,
        );
      });
  await alice.waitForTimeout(3000);
  for (const tab of [alice, bob]) {
    const { packets, energy } = await tab.evaluate(() => ue.heard());
    assert.ok(packets > 50, `${packets} packets`);
    assert.ok(energy > 0.0001, `energy ${energy}`);
    assert.deepEqual(await tab.evaluate(() => ue.pair()), { local: "relay", remote: "relay" });
  }
  await bob.evaluate(() => ue.hangup());
});

test("TURN: credentials that have ended or were made up are refused; nothing is relayed to other addresses of the machine", {
  skip: noCoturn,
}, () => {
  const good = given;
  const relayed = turnClient(good, ["-y"]);
  assert.equal(relayed.status, 0, relayed.said);
  assert.match(relayed.said, /tot_recv_msgs=10\b/);
  const secret = readFileSync(join(core.stateDir, "turn/secret"), "utf8").trim();
  const old = turnCredentials({
    ...{ secret, user: "alice", now: Date.now() - 7_200_000, ttlSeconds: 3600, uris: good.uris },
  });
  for (const bad of [old, { ...good, password: "made up" }, { ...good, username: "9999999999:alice" }]) {
    const refused = turnClient(bad, ["-y"]);
    assert.notEqual(refused.status, 0);
    assert.match(refused.said, /Cannot complete Allocation/);
  }
  const forbidden = turnClient(good, ["-e", "127.0.0.1"]);
  assert.match(forbidden.said, /403 \(Forbidden IP\)/);
});
