import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createHealth, metricsRegister, strayErrors } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { ProxyCore, parseUri, type Uri } from "@ims/sip";
import { FakeTransportLayer } from "@ims/sip/testing";
import { memoryStore } from "@ims/store";
import { createHostedServers } from "../src/hosted-servers.ts";
import { sproutOptions } from "../src/index.ts";
import { parsed } from "./support/bench.ts";

const ALL = {
  callLists: ["http://127.0.0.1:1"],
  twinning: "true",
  communicationDiversion: "true",
};

async function serversOf(t: TestContext, given: Record<string, unknown>) {
  const register = metricsRegister();
  const health = createHealth();
  const refused: string[] = [];
  const clock = fakeClock();
  const log = memoryLogger("info");
  const strays = strayErrors();
  const servers = await createHostedServers(
    {
      options: sproutOptions.parse(given),
      ...{ side: "scscf", uriHost: "127.0.0.1", store: memoryStore({ clock }) },
      originate: () => assert.fail("nothing is sent"),
      isServing: () => false,
      guard: {
        mayUse: (address) => address === "192.0.2.1",
        refused: (reason) => void refused.push(reason),
      },
    },
    { clock, log, register, health, pacer: { received: () => undefined }, strayErrors: strays },
  );
  t.after(() => servers.stop());
  return { servers, register, refused, log, strays };
}

function uriOf(text: string): Uri {
  return parseUri(text) ?? assert.fail(text);
}

test("what is not configured is not there: no entity to be asked about each request, no metric", async (t) => {
  const { servers, register } = await serversOf(t, {});
  assert.deepEqual(servers.sides, []);
  assert.deepEqual(servers.local, []);
  assert.doesNotMatch(
    await register.scrape(),
    /call_list|call_fragments|twinning|communication_diversion|application_server/,
  );
});

test("what is configured goes by the names of Memento, Gemini and the Call Diversion AS", async (t) => {
  const { servers } = await serversOf(t, ALL);
  const names = ["sip:memento", "sip:mobile-twinned@gemini", "sip:communication-diversion"];
  assert.deepEqual(
    servers.sides.map(({ guard }, index) => guard.accepts(uriOf(`${names[index]}.example.com;x=y`))),
    [true, true, true],
  );
  for (const { guard } of servers.sides) assert.ok(!guard.accepts(uriOf("sip:mmtel.example.com")));
});

test("S-CSCFs elsewhere reach them over the S-CSCF's port; strangers do not", async (t) => {
  const { servers, refused } = await serversOf(t, ALL);
  const [callList] = servers.sides;
  assert.ok(callList);
  const transport = new FakeTransportLayer();
  new ProxyCore({
    sides: [
      {
        name: "scscf",
        entity: { functionalEntity: "S-CSCF", accepts: () => false, onRequest: () => assert.fail() },
        strict: false,
      },
      { name: callList.name, entity: callList.guard, strict: false },
    ],
    locator: { locate: () => [], failed: () => undefined },
    clock: fakeClock(),
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
  });
  const status = async (remoteAddress: string): Promise<number | undefined> => {
    const flow = transport.connect({ side: "scscf", localPort: 5054, protocol: "TCP", remoteAddress });
    flow.receive(
      [
        "REGISTER sip:memento.example.com SIP/2.0",
        "Route: <sip:memento.example.com;lr>",
        `Via: SIP/2.0/TCP ${remoteAddress};branch=z9hG4bK${remoteAddress}`,
        ...["From: <sip:s@example.com>;tag=1", "To: <sip:a@example.com>", "Call-ID: 1", "CSeq: 1 REGISTER"],
        ...["Max-Forwards: 70", "Content-Length: 0", "", ""],
      ].join("\r\n"),
    );
    await new Promise((resolve) => setImmediate(resolve));
    return transport.takeSent().map(({ text }) => parsed(text).status)[0];
  };
  assert.equal(await status("192.0.2.1"), 200);
  assert.equal(await status("192.0.2.66"), 403);
  assert.deepEqual(refused, ["foreignPeer"]);
});

/** Files in a folder outside the project; their paths. */
function filesIn(t: TestContext, texts: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "hosted-servers-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

const moduleOf = (name: string, more = ""): string =>
  `export default { interfaceVersion: 1, name: "${name}", create(host) { ${more} return { onInitialRequest: (call) => call.forward() }; } };`;

test("application servers of others are loaded from where the operator says, and go by their names, each with its settings", async (t) => {
  const path = filesIn(t, {
    "one.mjs": moduleOf("one", "host.metrics.gauge('limit', 'Its limit', () => host.settings.limit);"),
    "two.mjs": moduleOf("two"),
    "settings.json": JSON.stringify({ one: { limit: 7 } }),
  });
  const { servers, register, log } = await serversOf(t, {
    applicationServers: [path("one.mjs"), path("two.mjs")],
    applicationServerSettingsFile: path("settings.json"),
  });
  const [one, two] = servers.sides;
  assert.ok(one?.guard.accepts(uriOf("sip:one.example.com;plan=gold")));
  assert.ok(two?.guard.accepts(uriOf("sip:two.example.com:5054")));
  assert.ok(!one?.guard.accepts(uriOf("sip:two.example.com")));
  assert.deepEqual([one?.port, two?.port], [undefined, undefined]);
  assert.match(await register.scrape(), /ims_as_one_limit 7/);
  assert.match(
    await register.scrape(),
    /application_server_requests_total\{outcome="failed",server="two"\} 0/,
  );
  assert.deepEqual(
    log.lines.map(({ msg, server, uri }) => [msg, server, uri]),
    [
      ["application server loaded", "one", "sip:one.example.com"],
      ["application server loaded", "two", "sip:two.example.com"],
    ],
  );
});

test("mistakes of the operator are told with place and remedy; nothing starts", async (t) => {
  const path = filesIn(t, {
    "one.mjs": moduleOf("one"),
    "again.mjs": moduleOf("one"),
    "memento.mjs": moduleOf("memento"),
    "sends.mjs": moduleOf("sends", "host.originate();"),
    "no.json": "{",
    "list.json": "[]",
    "flat.json": '{"one":1}',
    "strange.json": '{"oen":{}}',
  });
  const file = (name: string): Record<string, unknown> => ({
    applicationServers: [path("one.mjs")],
    applicationServerSettingsFile: path(name),
  });
  for (const [given, problem] of [
    [{ applicationServers: [path("none.mjs")] }, /none\.mjs .*is no file/],
    [
      { applicationServers: [path("one.mjs"), path("again.mjs")] },
      /again\.mjs .*one is that of another server/,
    ],
    [{ ...ALL, applicationServers: [path("memento.mjs")] }, /memento is that of another server, sip:memento/],
    [{ applicationServers: [path("sends.mjs")] }, /nothing can be sent before sprout serves/],
    [file("none.json"), /none\.json .*cannot be read/],
    [file("no.json"), /no\.json .*is not JSON/],
    [file("list.json"), /list\.json .*an object is wanted/],
    [file("flat.json"), /flat\.json .*one: .*an object is wanted/],
    [file("strange.json"), /settings for oen, which no module/],
  ] as const)
    await assert.rejects(serversOf(t, given), problem);
});

test("what a server throws where nobody waits for it is told of, and is known by where it was thrown", async (t) => {
  const path = filesIn(t, {
    "one.mjs": moduleOf("one", "globalThis.strayOfOne = () => new Error('stray');"),
  });
  const { log, strays } = await serversOf(t, { applicationServers: [path("one.mjs")] });
  const stray = (globalThis as unknown as { strayOfOne: () => Error }).strayOfOne();
  assert.equal(strays.taken(stray), true);
  assert.equal(strays.taken(new Error("ours")), false);
  for (const other of [undefined, "text", Object.assign(new Error("none"), { stack: undefined })])
    assert.equal(strays.taken(other), false);
  const told = log.lines.filter(({ msg }) => msg === "application server failed");
  assert.deepEqual(
    told.map(({ server, err }) => [server, (err as { message?: string }).message]),
    [["one", "stray"]],
  );
});
