import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { managementTokenFile } from "../../src/operate/management-token.ts";
import { guide } from "../../src/up/guide.ts";
import { ibcfRoutes, nodeCommands, nodeOptionOf } from "../../src/up/nodes.ts";
import { makeStateDir } from "../../src/up/state-dir.ts";

const options = {
  host: "127.0.0.1",
  domain: "example.com",
  stateDir: "/state",
  seedExamples: true,
  logLevel: "warn",
  set: [{ node: "bono", option: "sip-port", value: "15060" }],
};

function argsOf(host: string, name: string): string {
  return (
    nodeCommands({ ...options, host })
      .find((command) => command.name === name)
      ?.args.join(" ") ?? ""
  );
}

test("beyond loopback only Gm and the management ports are bound to the address given", () => {
  assert.match(argsOf("192.0.2.1", "homestead"), /^--host 127\.0\.0\.1 .*--management-address 192\.0\.2\.1/);
  assert.match(argsOf("192.0.2.1", "sprout"), /^--host 127\.0\.0\.1 .*--hss-peer 127\.0\.0\.1:3868/);
  assert.match(argsOf("192.0.2.1", "bono"), /^--host 192\.0\.2\.1 --core-host 127\.0\.0\.1/);
  assert.match(argsOf("::1", "sprout"), /^--host ::1 .*--hss-peer \[::1\]:3868/);
});

test("--charging runs a ralf that sprout and bono report to; without it there is none", () => {
  const set = [{ node: "ralf", option: "port", value: "20888" }];
  const commands = nodeCommands({ ...options, charging: true, set });
  assert.deepEqual(
    commands.map(({ name }) => name),
    ["ralf", "homestead", "sprout", "bono"],
  );
  const [ralf, , ...reporters] = commands.map(({ args }) => args.join(" "));
  assert.match(ralf ?? "", /--cdr-dir \/state\/cdr --port 20888$/);
  for (const args of reporters) assert.match(args, /--ralf http:\/\/127\.0\.0\.1:20888/);
  for (const { name, args } of nodeCommands(options)) assert.ok(!args.includes("--ralf"), name);
});

test("--ellis is told where the nodes say that they are, and beyond this machine the token that all of them want", () => {
  const token = "/state/management-token";
  for (const managementTokenFile of [undefined, token])
    for (const { name, args } of nodeCommands({ ...options, ellis: true, managementTokenFile })) {
      const said = args.join(" ");
      assert.equal(
        said.includes(`--management-token-file ${token}`),
        managementTokenFile !== undefined,
        name,
      );
      if (name !== "ellis") continue;
      assert.match(said, /--core-run-dir \/state\/run/);
      assert.equal(said.includes(`--core-token-file ${token}`), managementTokenFile !== undefined);
    }
});

test("the management token is made once, for its owner alone, long enough for the nodes to take it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-token-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = managementTokenFile(folder);
  const token = readFileSync(file, "utf8");
  assert.match(token, /^[A-Za-z0-9_-]{32}\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(managementTokenFile(folder), "utf8"), token);
  assert.throws(() => managementTokenFile(join(folder, "none")), /management-token: /);
});

test("--call-lists runs a homer that keeps them, and sprout writes to it; --twinning needs nobody", () => {
  const given = { ...options, callLists: true, twinning: true };
  const commands = nodeCommands(given);
  const argsOf = (name: string): string =>
    commands.find((command) => command.name === name)?.args.join(" ") ?? "none";
  assert.match(argsOf("homer"), /--call-lists true/);
  assert.match(argsOf("sprout"), /--call-lists http:\/\/127\.0\.0\.1:7888 --twinning true/);
  assert.doesNotMatch(argsOf("sprout"), /--homer/, "telephony services are another matter");
  for (const { name, args } of nodeCommands(options))
    assert.ok(!args.includes("--call-lists") && !args.includes("--twinning"), name);
});

test("--emergency gives sprout the file of the PSAPs, and bono the E-CSCF with the usual numbers; without it neither", () => {
  const set = [{ node: "sprout", option: "ecscf-port", value: "25057" }];
  const [, sprout, bono] = nodeCommands({ ...options, emergency: "/psaps.json", set }).map(({ args }) =>
    args.join(" "),
  );
  assert.match(sprout ?? "", /--emergency-file \/psaps\.json --ecscf-port 25057$/);
  assert.match(bono ?? "", /--ecscf-uri sip:127\.0\.0\.1:25057;transport=tcp --emergency-numbers 112,911/);
  for (const { name, args } of nodeCommands(options))
    assert.ok(!args.includes("--emergency-file") && !args.includes("--ecscf-uri"), name);
});

test("--ibcf makes bono an IBCF for the peers in a file, and sprout send to it what leaves; without it there is neither", () => {
  const given = { ...options, ibcf: "/peers.json", host: "192.0.2.1" };
  const commands = nodeCommands(given);
  const argsOf = (name: string): string =>
    commands.find((command) => command.name === name)?.args.join(" ") ?? "none";
  assert.match(argsOf("bono"), /--ibcf-peers-file \/peers\.json/);
  assert.match(argsOf("sprout"), /--bgcf-file \/state\/bgcf-ibcf\.json/);
  assert.deepEqual(JSON.parse(ibcfRoutes(given)), {
    routes: [{ domain: "*", route: ["sip:ibcf@127.0.0.1:5058;transport=tcp"] }],
  });
  const set = [{ node: "bono", option: "core-port", value: "15058" }];
  assert.match(ibcfRoutes({ host: "::1", set }), /sip:ibcf@\[::1\]:15058;transport=tcp/);
  for (const { name, args } of nodeCommands(options))
    assert.ok(!args.includes("--ibcf-peers-file") && !args.includes("--bgcf-file"), name);
});

test("--mmtel runs a homer that asks homestead, and sprout asks homer; without it there is none", () => {
  const set = [
    { node: "homestead", option: "provisioning-port", value: "28889" },
    { node: "homer", option: "core-port", value: "27888" },
  ];
  const commands = nodeCommands({ ...options, mmtel: true, set });
  assert.deepEqual(
    commands.map(({ name }) => name),
    ["homestead", "homer", "sprout", "bono"],
  );
  const [, homer, sprout] = commands.map(({ args }) => args.join(" "));
  assert.match(homer ?? "", /--homestead http:\/\/127\.0\.0\.1:28889 --core-port 27888$/);
  assert.match(sprout ?? "", /--homer http:\/\/127\.0\.0\.1:27888/);
  for (const { name, args } of nodeCommands(options)) assert.ok(!args.includes("--homer"), name);
});

test("--ellis runs an ellis that provisions through homestead, with simservs documents where there is a homer", () => {
  const set = [{ node: "ellis", option: "numbers", value: "100-199" }];
  const withoutHomer = nodeCommands({ ...options, ellis: true, set });
  assert.deepEqual(
    withoutHomer.map(({ name }) => name),
    ["homestead", "ellis", "sprout", "bono"],
  );
  const told = withoutHomer[1]?.args.join(" ") ?? "";
  assert.match(told, /--homestead http:\/\/127\.0\.0\.1:8889 .*--numbers 100-199$/);
  assert.doesNotMatch(told, /--homer/);
  const withHomer = nodeCommands({ ...options, ellis: true, mmtel: true, set });
  assert.match(
    withHomer.find(({ name }) => name === "ellis")?.args.join(" ") ?? "",
    /--homer http:\/\/127\.0\.0\.1:7888 --application-server sip:mmtel\.example\.com/,
  );
});

test("RFC 5626 §5: a bono that is started again gets the key of its flow tokens again, out of sight", () => {
  const bono = nodeCommands(options).find(({ name }) => name === "bono");
  const key = bono?.env?.["TIDEWATER_BONO_FLOW_TOKEN_KEY"] ?? "";
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.ok(!bono?.args.includes(key));
});

test("--set takes options of nodes that exist, for that node alone", () => {
  assert.deepEqual(nodeOptionOf("bono.icscf-uri=sip:a;b=c"), {
    node: "bono",
    option: "icscf-uri",
    value: "sip:a;b=c",
  });
  for (const wrong of ["bonoo.sip-port=1", "bono", "bono.sip-port", "__proto__.x=1"])
    assert.equal(nodeOptionOf(wrong), undefined);
  assert.match(argsOf("127.0.0.1", "bono"), /--sip-port 15060$/);
  assert.doesNotMatch(argsOf("127.0.0.1", "sprout"), /--sip-port/);
});

test("a state directory is made with those above it; one that cannot be is said and not waited for", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "tidewater-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  makeStateDir(join(directory, "a/b"));
  assert.ok(existsSync(join(directory, "a/b")));
  writeFileSync(join(directory, "file"), "");
  for (const wrong of [join(directory, "file"), join(directory, "file/below"), "/proc/tidewater"])
    assert.throws(() => makeStateDir(wrong), { message: new RegExp(`^--state-dir ${wrong}: `) });
});

test("the guide names the ports that are open, and examples only where they are", () => {
  const started = [
    { name: "bono", pid: 1, ports: { udp: 15060, ws: 15062, management: 19101 } },
    { name: "homestead", pid: 2, ports: { provisioning: 18889 } },
  ];
  const lab = guide(options, started, "1.0");
  for (const part of [
    "127.0.0.1:15060",
    "127.0.0.1:19101/metrics",
    "--url http://127.0.0.1:18889",
    "password secret",
  ])
    assert.ok(lab.includes(part), part);
  const open = guide({ ...options, host: "0.0.0.0", seedExamples: false }, started, "1.0");
  assert.doesNotMatch(open, /6505550000|6505550001|0\.0\.0\.0:/);
});
