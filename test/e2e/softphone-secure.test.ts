import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { launchBrowser, noBrowser } from "../support/browser.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startCore } from "../support/core-under-test.ts";
import { SoftphonePage, watchMedia } from "../support/softphone.ts";

test("softphone over WSS (RFC 7118 §5): a page of the portal by HTTPS registers, calls, is heard on both sides and hangs up, with nothing in clear", {
  skip: noBrowser,
}, async (t) => {
  const { certFile, keyFile } = makeCertificate(t, ["localhost"]);
  const set = [
    ...[`bono.tls-cert-file=${certFile}`, `bono.tls-key-file=${keyFile}`],
    ...[`ellis.tls-certificate=${certFile}`, `ellis.tls-key=${keyFile}`],
  ];
  const core = await startCore(t, {
    args: ["--ellis", "--no-examples", ...set.flatMap((each) => ["--set", each])],
  });
  const browser = await launchBrowser(t);
  await watchMedia(browser);
  const url = (path: string): string => `https://${core.host}:8443${path}`;
  const headers = { "content-type": "application/json" };
  const asked = async (path: string, data: object): Promise<Record<string, string>> => {
    const answer = await browser.request.post(url(path), { headers, data });
    assert.ok(answer.ok(), await answer.text());
    return (await answer.json()) as Record<string, string>;
  };
  const code = readFileSync(join(core.stateDir, "ellis-signup-code"), "utf8").trim();
  const account = { email: "alice@example.com", password: "a long secret" };
  await asked("/accounts", { ...account, full_name: "Alice", signup_code: code });
  await asked("/session", account);
  const cookies = await browser.cookies(url("/"));
  assert.deepEqual(
    cookies.map(({ name, secure, httpOnly }) => [name, secure, httpOnly]),
    [["username", true, true]],
  );

  const sockets: string[] = [];
  const open = async (): Promise<SoftphonePage> => {
    const {
      number,
      sip_uri: uri,
      sip_password: password,
    } = await asked(`/accounts/${account.email}/numbers`, {});
    const phone = new SoftphonePage(await browser.newPage(), number ?? "");
    phone.page.on("websocket", (socket) => sockets.push(socket.url()));
    await phone.page.goto(url(`/phone?number=${encodeURIComponent(uri ?? "")}`));
    await phone.signOn(password ?? "");
    await phone.registered();
    return phone;
  };
  const [alice, bob] = [await open(), await open()];
  assert.deepEqual(
    sockets.map((each) => new URL(each).origin),
    [`wss://${core.host}:${core.sip.wssPort}`, `wss://${core.host}:${core.sip.wssPort}`],
  );
  // RFC 7118 §5: the transport is said to be WSS, and a Contact is one of a WebSocket.
  const [register = ""] = alice.sent.filter((message) => message.startsWith("REGISTER"));
  assert.match(register, /^Via: SIP\/2\.0\/WSS /m);
  assert.match(register, /^Contact: <sips?:[^>]+;transport=wss?[;>]/m);

  await alice.dial(bob.number);
  await alice.state(bob.number, "It rings there");
  await bob.answer();
  for (const [phone, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    await phone.state(other.number, "Talking");
    await phone.hears("energy", 0.001);
  }
  await bob.press(alice.number, "Hang up");
  for (const phone of [alice, bob]) await phone.calls(0);
  assert.deepEqual([...alice.faults, ...bob.faults], []);
});
