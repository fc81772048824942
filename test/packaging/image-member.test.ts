import assert from "node:assert/strict";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { edgeAgentOptions, turnSecretOf } from "@ims/etcd-cluster";
import { homerOptions } from "@ims/homer";
import { loadOptions, serviceOptions } from "@ims/runtime";
import { load } from "js-yaml";
import { tlsFilesOf } from "../../images/member/certificates.ts";
import { clusterConfig, SERVICES } from "../../images/member/cluster.ts";
import { writeNodeEnvironment } from "../../images/member/edge.ts";
import { makePortalCertificate, portalCertificate } from "../../images/member/ellis.ts";
import { etcdYaml, startOfEtcd } from "../../images/member/etcd-member.ts";
import { type Places, placesBelow, put } from "../../images/member/files.ts";
import { homerKeys } from "../../images/member/homer.ts";
import { memberSchema, readMember } from "../../images/member/member-file.ts";
import { writePlace } from "../../images/member/place.ts";
import { waitForSeeds } from "../../images/member/seeds.ts";
import { readReadySignal, sendSignal } from "../../images/member/signal.ts";
import { obtainManagementToken } from "../../images/member/site-keys.ts";
import { startMember } from "../../images/member/start.ts";

const ROOT = join(import.meta.dirname, "../..");
const GOOD = {
  ...{ role: "homestead", pool: "homestead", index: 1, cell: 0, name: "homestead-1" },
  ...{ domain: "example.com", address: "127.0.0.2", seeds: ["127.0.0.78"] },
};

const own = (): void => undefined;

function machine(t: TestContext): Places {
  const root = mkdtempSync(join(tmpdir(), "member-"));
  t.after(() => rmSync(root, { recursive: true }));
  const places = placesBelow(root);
  mkdirSync(join(root, "etc/tidewater"), { recursive: true });
  return places;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function serve(
  t: TestContext,
  host: string,
  port: number,
  answer: (asked: Asked) => readonly [number, string],
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      asked.push(one);
      const [status, text] = answer(one);
      response.writeHead(status, { "x-subject-token": "token-of-keystone" }).end(text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, asked };
}

const WRONG: readonly (readonly [what: string, text: string, says: RegExp])[] = [
  [
    "a role that there is not",
    JSON.stringify({ ...GOOD, role: "sprut" }),
    /role: must be one of bono, sprout, homestead, vellum, ellis \(it is "sprut"\)/,
  ],
  ["__proto__ as role", JSON.stringify({ ...GOOD, role: "__proto__" }), /role: must be one of/],
  [
    "a name that is not that of the index",
    JSON.stringify({ ...GOOD, name: "homestead-2" }),
    /name: must be homestead-1/,
  ],
  [
    "a pool of another role",
    JSON.stringify({ ...GOOD, pool: "sprout", name: "sprout-1" }),
    /pool: must be homestead/,
  ],
  [
    "no seeds",
    JSON.stringify({ ...GOOD, seeds: undefined }),
    /seeds: a homestead must be told where etcd answers/,
  ],
  [
    "a seed that is a name",
    JSON.stringify({ ...GOOD, seeds: ["vellum"] }),
    /seeds\.0: must be an IPv4 or IPv6 address \(it is "vellum"\)/,
  ],
  [
    "one seed twice",
    JSON.stringify({ ...GOOD, seeds: ["10.0.0.1", "10.0.0.1"] }),
    /seeds: one address twice/,
  ],
  ["an index below zero", JSON.stringify({ ...GOOD, index: -1 }), /index: /],
  ["an address that is none", JSON.stringify({ ...GOOD, address: "10.0.0.300" }), /address: must be an IPv4/],
  ["a placeholder that Heat did not fill", '{"role":"bono","index":$index}', /is not JSON/],
  ["an empty file", "", /is not JSON/],
];
for (const [what, text, says] of WRONG)
  test(`member.json with ${what} is refused with its place and a remedy`, (t) => {
    const places = machine(t);
    writeFileSync(places.member, text);
    assert.throws(
      () => readMember(places.member),
      (error: Error & { remedy?: string }) => {
        assert.match(error.message, says);
        assert.ok(error.message.includes(places.member));
        assert.match(error.remedy ?? "", /rebuild the server/);
        return true;
      },
    );
  });

test("without member.json the message says that there was no config drive", (t) => {
  const places = machine(t);
  assert.throws(() => readMember(places.member), /cloud-init found no config drive/);
});

for (const role of ["bono", "sprout", "homestead", "vellum", "ellis"])
  test(`user data of the Heat templates for ${role} is a member as the image wants it, in both address families`, () => {
    let text = readFileSync(join(ROOT, `heat-templates/user-data/${role}.cfg`), "utf8");
    const values = {
      home_domain: "example.com",
      management_address: "10.0.4.11",
      address: "10.0.3.11",
      index: "1",
      cell: "0",
      charging: "on",
      telephony: "on",
      ut_proxies: '["10.0.4.9"]',
      own_cassandra: "on",
      etcd_tls: "on",
      turn: "on",
      denied_peers: '["10.0.3.0/24","10.0.4.0/24"]',
      edges: '["10.0.2.11","10.0.2.12"]',
      seeds: '["10.0.3.11","10.0.3.12"]',
    };
    for (const [key, value] of Object.entries(values)) text = text.replaceAll(`$${key}`, value);
    const files = (load(text) as { write_files: { path: string; content: string }[] }).write_files;
    const member = files.find(({ path }) => path === "/etc/tidewater/member.json")?.content ?? "";
    const local = files.find(({ path }) => path === "/etc/tidewater/local_config")?.content ?? "";
    for (const one of [member, member.replaceAll(/10\.0\.(\d)\.(\d+)/g, "fd00:$1::$2")]) {
      const parsed = memberSchema.safeParse(JSON.parse(one));
      assert.ok(parsed.success, parsed.error?.message);
      assert.equal(parsed.data.role, role);
    }
    const places = placesBelow("/");
    const wants = [
      ["pools_file", places.pools],
      ["memcached_file", places.memcached],
    ] as const;
    const shows = [["core_pools_file", places.pools]] as const;
    const follows = { sprout: wants, homestead: wants.slice(0, 1), ellis: shows }[role] ?? [];
    for (const [key, path] of follows) assert.ok(local.split("\n").includes(`${key}=${path}`), key);
  });

test("the services of the pools file are ports of the one table of ports", () => {
  const { ports } = load(readFileSync(join(ROOT, "vnf/model/ports.yaml"), "utf8")) as {
    ports: { process: string; port: number; protocols: string[]; reserved?: boolean }[];
  };
  for (const { name, services } of SERVICES)
    for (const { port, transport } of services)
      assert.ok(
        ports.some(
          (one) =>
            one.process === name &&
            one.port === port &&
            one.protocols.includes(transport) &&
            one.reserved !== true,
        ),
        `${name} ${transport} ${port}`,
      );
});

test("a seed that does not answer is named on the console, and in the error once the time is over", async () => {
  const lines: string[] = [];
  const options = {
    say: (line: string) => void lines.push(line),
    deadline: performance.now() + 30,
    everyMs: 10,
  };
  const probe = (seed: string): Promise<string> =>
    Promise.resolve(seed === "10.0.0.1" ? "ECONNREFUSED" : "no quorum");
  await assert.rejects(
    waitForSeeds(["10.0.0.1", "10.0.0.2"], probe, options),
    /no seed answers \(10\.0\.0\.1: ECONNREFUSED; 10\.0\.0\.2: no quorum\)/,
  );
  assert.deepEqual(lines, [
    "waiting for a seed with a working etcd: 10.0.0.1: ECONNREFUSED; 10.0.0.2: no quorum",
  ]);
});

test("a homestead starts its cluster process once a seed answers, itself once its files are there, and is ready when it says so", async (t) => {
  const places = machine(t);
  const etcd = await serve(t, "127.0.0.78", 2379, () => [200, '{"health":"true","succeeded":true}']);
  let healthy = false;
  const node = await serve(t, "127.0.0.2", 0, () => (healthy ? [200, "ready\n"] : [503, "starting\n"]));
  writeFileSync(
    places.localConfig,
    `host=127.0.0.2\nmanagement_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`,
  );
  writeFileSync(places.userShared, "home_domain=example.com\n");
  const started: string[] = [];
  const startUnit = (unit: string): Promise<void> => {
    started.push(unit);
    if (unit === "tidewater-cluster.service") {
      assert.ok(etcd.asked.length > 0, "a seed was asked before");
      put(places.pools, "{}");
    }
    if (unit === "tidewater-homestead.service") setTimeout(() => (healthy = true), 300);
    return Promise.resolve();
  };
  await startMember(memberSchema.parse(GOOD), { places, say: () => undefined, startUnit, own });
  assert.deepEqual(started, [
    "tidewater-restart.path",
    "tidewater-cluster.service",
    "tidewater-homestead.service",
  ]);
  assert.deepEqual(readFileSync(join(places.run, "cluster_config"), "utf8").trim().split("\n"), [
    "etcd=http://127.0.0.78:2379",
    "pool=homestead",
    "member=homestead-1",
    "addresses=127.0.0.2",
    `pools_template=${places.run}/pools_template.json`,
    `pools_file=${places.pools}`,
    `config_file=${places.cluster}/shared_config`,
    `restart_command=/bin/sh /usr/lib/tidewater/restart-node.sh ${places.cluster}/restart`,
    `health_url=${node.url}/health/ready`,
  ]);
  assert.equal(readFileSync(join(places.cluster, "shared_config"), "utf8"), "home_domain=example.com\n");
  const key = readFileSync(places.subscriberKey);
  assert.deepEqual([key.length, statSync(places.subscriberKey).mode & 0o777], [32, 0o600]);
  const txn = etcd.asked.find(({ path }) => path === "/v3/kv/txn")?.body ?? "";
  const value = Buffer.from(key.toString("base64")).toString("base64");
  assert.ok(txn.includes(value), "the first homestead tells etcd its key");
  const token = readFileSync(places.provisioningToken, "utf8");
  assert.match(token, /^[A-Za-z0-9_-]{43}\n$/);
  assert.equal(statSync(places.provisioningToken).mode & 0o777, 0o600);
  assert.equal(
    readFileSync(join(places.run, "node.env"), "utf8"),
    `SHARED=--shared-config ${places.cluster}/shared_config --management-token-file ${places.data}/homestead/management.token\n`,
  );
  assert.equal(readFileSync(join(places.run, "place.env"), "utf8"), "PLACE=--cell 0\n");
});

test("nodes are told the cell of user data and the zone that Nova told cloud-init, and nothing that is no zone", (t) => {
  const places = machine(t);
  const member = memberSchema.parse({ ...GOOD, cell: 2 });
  const placeOf = (instance: unknown): string => {
    put(places.instanceData, JSON.stringify(instance));
    writePlace(member, places);
    return readFileSync(join(places.run, "place.env"), "utf8");
  };
  assert.equal(placeOf({ v1: { availability_zone: "core-a" } }), "PLACE=--cell 2 --zone core-a\n");
  for (const none of [{}, { v1: { availability_zone: null } }, { v1: { availability_zone: "a --host ::" } }])
    assert.equal(placeOf(none), "PLACE=--cell 2\n");
  const [, ...argv] = placeOf({ v1: { availability_zone: "core-a" } })
    .trim()
    .split(/[= ]/);
  const loaded = loadOptions({ name: "homer", schema: serviceOptions, argv, env: {} });
  assert.ok(loaded.kind === "loaded", JSON.stringify(loaded));
  assert.deepEqual([loaded.options.cell, loaded.options.zone], ["2", "core-a"]);
});

test("a homestead that comes later has the key of the first one, waits for the configuration of the site, and takes no damaged key", async (t) => {
  const places = machine(t);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const first = "k".repeat(32);
  let value = base64(base64(first));
  await serve(t, "127.0.0.78", 2379, ({ path }) => [
    200,
    path === "/v3/kv/range"
      ? JSON.stringify({ kvs: [{ key: base64("/tidewater/config/current"), value: base64("{}") }] })
      : JSON.stringify({ health: "true", responses: [{ response_range: { kvs: [{ key: "", value }] } }] }),
  ]);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  writeFileSync(
    places.localConfig,
    `management_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`,
  );
  const started: string[] = [];
  const startUnit = (unit: string): Promise<void> => {
    started.push(unit);
    if (unit === "tidewater-cluster.service") put(places.pools, "{}");
    return Promise.resolve();
  };
  const modules = { places, say: () => undefined, startUnit, own };
  const member = { ...memberSchema.parse(GOOD), waitSeconds: 1 };
  await assert.rejects(startMember(member, modules), /has not written the configuration of the site/);
  assert.equal(readFileSync(places.subscriberKey, "utf8"), first);
  assert.equal(
    readFileSync(places.provisioningToken, "utf8"),
    `${Buffer.from(first).toString("base64url")}\n`,
    "the token for provisioning too",
  );
  assert.ok(!started.includes("tidewater-homestead.service"));
  rmSync(places.subscriberKey);
  value = base64("short");
  await assert.rejects(startMember(member, modules), /key of the pool .* is damaged/);
});

test("a homestead with charging starts ralf before itself; one that waits for a data volume that is not mounted starts nothing", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  const management = `management_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`;
  writeFileSync(places.localConfig, management);
  writeFileSync(places.ralfConfig, management);
  put(places.subscriberKey, "k".repeat(32), 0o600);
  put(places.provisioningToken, "t".repeat(43), 0o600);
  put(places.pools, "{}");
  const started: string[] = [];
  const modules = {
    places,
    say: () => undefined,
    startUnit: (unit: string): Promise<void> => Promise.resolve(void started.push(unit)),
    own,
  };
  const member = memberSchema.parse({ ...GOOD, charging: "on" });
  await startMember(member, modules);
  assert.deepEqual(started, [
    "tidewater-restart.path",
    "tidewater-cluster.service",
    "tidewater-ralf.service",
    "tidewater-homestead.service",
  ]);
  started.length = 0;
  writeFileSync(places.dataVolume, "5f3a9c62-0d0e-4b7e-9a43-6d0a6a2f4c41");
  await assert.rejects(startMember(member, modules), /the data volume is not mounted at/);
  assert.deepEqual(started, []);
});

test("bono with a join token waits for what the core tells, and reads that; what nobody brings is said with the remedy", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  writeFileSync(
    places.localConfig,
    `management_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`,
  );
  writeFileSync(places.joinToken, `${"t".repeat(64)}\n`);
  const started: string[] = [];
  const startUnit = (unit: string): Promise<void> => {
    started.push(unit);
    if (unit === "tidewater-edge-agent.service") put(`${places.edge}/shared_config`, "flow_token_key=k\n");
    return Promise.resolve();
  };
  const bono = memberSchema.parse({ ...GOOD, role: "bono", pool: "bono", name: "bono-1", seeds: undefined });
  await startMember(bono, { places, say: () => undefined, startUnit, own });
  assert.deepEqual(started, [
    "tidewater-restart.path",
    "tidewater-edge-agent.service",
    "tidewater-bono.service",
  ]);
  const environment = readFileSync(join(places.run, "node.env"), "utf8");
  assert.equal(environment, `SHARED=--shared-config ${places.edge}/shared_config\n`);
  const loaded = loadOptions({
    name: "edge-agent",
    schema: edgeAgentOptions,
    argv: ["--config", join(places.run, "edge_config")],
    env: {},
    sharedConfigPath: join(places.run, "none"),
  });
  assert.ok(loaded.kind === "loaded", JSON.stringify(loaded));
  assert.equal(loaded.options.healthUrl, `${node.url}/health/ready`);
  const alone = machine(t);
  writeFileSync(alone.localConfig, readFileSync(places.localConfig));
  writeFileSync(alone.joinToken, "t".repeat(64));
  await assert.rejects(
    startMember(
      { ...bono, waitSeconds: 0 },
      { places: alone, say: () => undefined, startUnit: () => Promise.resolve(), own },
    ),
    (error: Error & { remedy?: string }) =>
      /nobody has brought what the core has to tell/.test(error.message) && /9111/.test(error.remedy ?? ""),
  );
});

test("a vellum makes the token of the DMZ good, which is made from that of the core as the templates make it, and tells neither", async (t) => {
  const places = machine(t);
  const etcd = await serve(t, "127.0.0.81", 2379, ({ path }) => [
    200,
    path === "/health"
      ? '{"health":"true"}'
      : '{"header":{"revision":"1"},"succeeded":true,"responses":[{}]}',
  ]);
  writeFileSync(places.joinToken, "core-token-0123456789abcdef\n");
  const said: string[] = [];
  const vellum = memberSchema.parse({
    ...{ ...GOOD, role: "vellum", pool: "vellum", name: "vellum-1", cassandra: "off" },
    seeds: ["127.0.0.81"],
  });
  const modules = {
    places,
    say: (line: string) => void said.push(line),
    startUnit: () => Promise.resolve(),
    own,
  };
  await startMember(vellum, modules);
  // digest: [sha256, "edge <token>"] of HOT.
  const token = createHash("sha256").update("edge core-token-0123456789abcdef").digest("hex");
  const put = etcd.asked.find(({ path }) => path === "/v3/kv/txn");
  const { success } = JSON.parse(put?.body ?? "{}") as { success: { request_put: { value: string } }[] };
  const record = JSON.parse(
    Buffer.from(success[0]?.request_put.value ?? "", "base64").toString("utf8"),
  ) as Record<string, unknown>;
  assert.deepEqual([record["token"], record["left"]], [token, 1000]);
  assert.ok(!said.join().includes(token) && !said.join().includes("core-token"));
  writeFileSync(places.joinToken, "short\n");
  await startMember(vellum, modules);
  assert.match(said.join("\n"), /the join token is too short/);
});

test("a sprout with a join token tells the bonos at their addresses, one without none", (t) => {
  const places = machine(t);
  const sprout = memberSchema.parse({
    ...{ ...GOOD, role: "sprout", pool: "sprout", name: "sprout-1" },
    edges: ["10.20.2.11", "fd00:20:2::12"],
  });
  assert.doesNotMatch(clusterConfig(sprout, places, "http://127.0.0.1:9102"), /edges/);
  writeFileSync(places.joinToken, "core-token-0123456789abcdef\n");
  assert.match(
    clusterConfig(sprout, places, "http://127.0.0.1:9102"),
    /^edges=http:\/\/10\.20\.2\.11:9111,http:\/\/\[fd00:20:2::12\]:9111$/m,
  );
});

test("a vellum that is to run Cassandra from an image without it says how to get one", async (t) => {
  const places = machine(t);
  const seed = await serve(t, "127.0.0.78", 2379, () => [200, '{"health":"true"}']);
  const vellum = { ...GOOD, role: "vellum", pool: "vellum", name: "vellum-1" };
  const modules = { places, say: () => undefined, startUnit: () => Promise.resolve(), own };
  await assert.rejects(
    startMember(memberSchema.parse({ ...vellum, cassandra: "on" }), modules),
    (error: Error & { remedy?: string }) =>
      /image is without it/.test(error.message) && /--cassandra.*cassandra_servers/.test(error.remedy ?? ""),
  );
  await startMember(memberSchema.parse({ ...vellum, cassandra: "off" }), modules);
  assert.ok(seed.asked.length > 0);
});

test("a homestead with telephony starts homer beside itself, with options that homer takes and keys that all homers have", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  const port = node.url.split(":")[2] ?? "";
  writeFileSync(
    places.localConfig,
    `management_address=127.0.0.2\nmanagement_port=${port}\nprovisioning_host=127.0.0.2\ncx_peers=10.0.3.0/24\ncassandra=10.0.3.11:9042\n`,
  );
  const etcd = await serve(t, "127.0.0.78", 2379, () => [
    200,
    '{"health":"true","succeeded":true,"responses":[{}]}',
  ]);
  put(places.pools, "{}");
  const started: string[] = [];
  const startUnit = (unit: string): Promise<void> => {
    started.push(unit);
    return Promise.resolve();
  };
  const owners = new Map<string, string>();
  const modules = {
    ...{ places, say: () => undefined, startUnit },
    own: (path: string, user: string) => void owners.set(path, user),
  };
  const member = memberSchema.parse({ ...GOOD, telephony: "on", utProxies: ["10.0.4.9"] });
  // Nobody plays homer here.
  await assert.rejects(startMember({ ...member, waitSeconds: 0 }, modules), (error: Error) =>
    /tidewater-homer\.service is not ready/.test(error.message),
  );
  assert.equal(started.at(-1), "tidewater-homer.service");
  assert.equal(started.at(-2), "tidewater-homestead.service");
  const loaded = loadOptions({
    name: "homer",
    schema: homerOptions,
    argv: ["--config", places.homerConfig],
    env: {},
  });
  assert.ok(loaded.kind === "loaded", JSON.stringify(loaded));
  const { host, coreHost, corePeers, homestead, nonceKey, callLists, authenticationProxies, cassandra } =
    loaded.options;
  assert.deepEqual([host, coreHost, corePeers], ["127.0.0.2", "127.0.0.2", ["10.0.3.0/24"]]);
  assert.deepEqual([homestead, callLists], ["http://127.0.0.2:8889", true]);
  assert.deepEqual([authenticationProxies, cassandra], [["10.0.4.9"], ["10.0.3.11:9042"]]);
  assert.match(nonceKey, /^[0-9a-f]{32}$/);
  const { token } = homerKeys(places);
  assert.match(readFileSync(token, "utf8"), /^[A-Za-z0-9_-]{43}\n$/);
  for (const path of [token, places.homerConfig]) assert.equal(owners.get(path), "tidewater-homer");
  const keys = etcd.asked.filter(({ path }) => path === "/v3/kv/txn").map(({ body }) => body);
  const asked = (name: string): boolean =>
    keys.some((body) => body.includes(Buffer.from(`/tidewater/keys/${name}`).toString("base64")));
  for (const name of ["subscribers", "provisioning", "nonces"]) assert.ok(asked(name), name);
});

test("an ellis has the keys of its pool, a certificate of its own, and starts once it knows the members of the core", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  const port = node.url.split(":")[2] ?? "";
  writeFileSync(
    places.localConfig,
    `host=127.0.0.3\nmanagement_address=127.0.0.2\nmanagement_port=${port}\n`,
  );
  const etcd = await serve(t, "127.0.0.78", 2379, () => [
    200,
    '{"health":"true","succeeded":true,"responses":[{}]}',
  ]);
  const started: string[] = [];
  const owners = new Map<string, string>();
  const modules = {
    ...{ places, say: () => undefined },
    startUnit: (unit: string): Promise<void> => {
      started.push(unit);
      if (unit === "tidewater-cluster.service") put(places.pools, "{}");
      return Promise.resolve();
    },
    own: (path: string, user: string) => void owners.set(path, user),
  };
  const member = memberSchema.parse({
    ...{ ...GOOD, role: "ellis", pool: "ellis", name: "ellis-1", address: "127.0.0.4" },
  });
  await startMember(member, modules);
  assert.deepEqual(started, ["tidewater-cluster.service", "tidewater-ellis.service"]);
  const config = readFileSync(join(places.run, "cluster_config"), "utf8");
  assert.match(config, /^member_management_address=127\.0\.0\.2$/m);
  assert.doesNotMatch(config, /config_file|restart_command/);
  const template = JSON.parse(readFileSync(join(places.run, "pools_template.json"), "utf8")) as {
    pools: { name: string }[];
  };
  assert.deepEqual(template.pools.map(({ name }) => name).sort(), ["homestead", "sprout"]);
  const { certificate, key } = portalCertificate(places);
  const x509 = new X509Certificate(readFileSync(certificate));
  assert.match(x509.subjectAltName ?? "", /DNS:ellis-1\.ellis\.example\.com, IP Address:127\.0\.0\.3/);
  assert.ok(x509.checkPrivateKey(createPrivateKey(readFileSync(key))));
  const secrets = ["provisioning.token", "management.token", "ellis-signup-code", "ellis-api-key"].concat(
    "ellis-cookie-key",
  );
  for (const path of [key, ...secrets.map((name) => `${places.ellis}/${name}`)]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
    assert.equal(owners.get(path), "tidewater-ellis", path);
  }
  const all = secrets.map((name) => readFileSync(`${places.ellis}/${name}`, "utf8"));
  assert.equal(new Set(all).size, all.length, "each has a secret of its own");
  const asked = etcd.asked.filter(({ path }) => path === "/v3/kv/txn").map(({ body }) => body);
  for (const name of ["provisioning", "management", "ellis-cookie-key"])
    assert.ok(asked.some((body) => body.includes(Buffer.from(`/tidewater/keys/${name}`).toString("base64"))));
  // The operator's own stays.
  writeFileSync(certificate, "the operator's");
  await startMember(member, modules);
  assert.equal(readFileSync(certificate, "utf8"), "the operator's");
});

test("no certificate for a portal whose address is none, and the remedy", async (t) => {
  const places = machine(t);
  writeFileSync(places.localConfig, "host=portal\n");
  await assert.rejects(
    makePortalCertificate({ name: "ellis-1", domain: "example.com" }, { places, own }),
    (error: Error & { remedy?: string }) =>
      /no certificate for the portal/.test(error.message) && /portal\.pem/.test(error.remedy ?? ""),
  );
  assert.ok(!existsSync(portalCertificate(places).key));
});

test("a homestead has the management token of the site, beside its own files or where its options say", async (t) => {
  const places = machine(t);
  const etcd = await serve(t, "127.0.0.78", 2379, () => [200, '{"succeeded":true,"responses":[{}]}']);
  const owners: string[][] = [];
  const modules = {
    ...{ places, say: (line: string) => assert.fail(line) },
    own: (one: string, user: string) => void owners.push([one, user]),
  };
  const beside = `${places.data}/homestead/management.token`;
  const elsewhere = join(places.run, "management.token");
  for (const [told, path] of [
    ["", beside],
    [elsewhere, elsewhere],
  ] as const) {
    writeFileSync(places.localConfig, `management_token_file=${told}\n`);
    assert.equal(await obtainManagementToken(memberSchema.parse(GOOD), modules), path);
    assert.match(readFileSync(path, "utf8"), /^[A-Za-z0-9_-]{43}\n$/);
    assert.deepEqual(owners.at(-1), [path, "tidewater-homestead"]);
  }
  assert.equal(etcd.asked.length, 2);
  await obtainManagementToken(memberSchema.parse(GOOD), modules);
  assert.equal(etcd.asked.length, 2, "one that is there stays");
});

test("a node whose management token cannot be had serves without, and somebody is told", async (t) => {
  const places = machine(t);
  writeFileSync(places.localConfig, "");
  await serve(t, "127.0.0.78", 2379, () => [503, "no leader"]);
  const said: string[] = [];
  const modules = { places, own, say: (line: string) => void said.push(line) };
  assert.equal(await obtainManagementToken(memberSchema.parse(GOOD), modules), undefined);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /token of the site for management ports cannot be had from etcd/);
  writeNodeEnvironment(places, "sprout", "/s");
  assert.equal(readFileSync(`${places.run}/node.env`, "utf8"), "SHARED=--shared-config /s\n");
  writeNodeEnvironment(places, "sprout", "/s", "/t");
  assert.equal(
    readFileSync(`${places.run}/node.env`, "utf8"),
    "SHARED=--shared-config /s --management-token-file /t\n",
  );
});

test("a certificate of an operator's own is ellis' to read, and one without its key is told", async (t) => {
  const places = machine(t);
  writeFileSync(places.localConfig, "host=127.0.0.3\n");
  const { certificate, key } = portalCertificate(places);
  put(certificate, "a certificate");
  const owners: string[] = [];
  const modules = { places, own: (one: string) => void owners.push(one) };
  const who = { name: "ellis-1", domain: "example.com" };
  await assert.rejects(makePortalCertificate(who, modules), /portal\.pem is there without .*portal\.key/);
  put(key, "its key", 0o600);
  await makePortalCertificate(who, modules);
  assert.deepEqual(owners, [places.ellis, certificate, key]);
  assert.equal(readFileSync(certificate, "utf8"), "a certificate");
});

test("with the files of its last life a machine starts without etcd", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  writeFileSync(
    places.localConfig,
    `management_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`,
  );
  put(places.subscriberKey, "k".repeat(32), 0o600);
  put(places.provisioningToken, "t".repeat(43), 0o600);
  put(places.pools, "{}");
  const started: string[] = [];
  const startUnit = (unit: string): Promise<void> => Promise.resolve(void started.push(unit));
  await startMember(memberSchema.parse({ ...GOOD, seeds: ["127.0.0.79"] }), {
    places,
    say: () => undefined,
    startUnit,
    own,
  });
  assert.equal(started.at(-1), "tidewater-homestead.service");
});

test("etcd of a machine that took the place of a dead one: the old member is taken out, the new one added", async (t) => {
  const member = memberSchema.parse({
    ...{ ...GOOD, role: "vellum", pool: "vellum", name: "vellum-1" },
    ...{ address: "127.0.0.2", seeds: ["127.0.0.2", "127.0.0.80"] },
  });
  const peerURLs = ["http://127.0.0.2:2380"];
  let members = [{ ID: "77", name: "etcd-127-0-0-2", peerURLs, clientURLs: ["http://127.0.0.2:2379"] }];
  const etcd = await serve(t, "127.0.0.80", 2379, () => [200, JSON.stringify({ members })]);
  const places = machine(t);
  const waiting = { say: () => undefined, deadline: performance.now() + 5000 };
  const start = await startOfEtcd(member, places, false, waiting);
  assert.equal(start.state, "existing");
  assert.deepEqual(
    etcd.asked.map(({ path, body }) => [path, body]),
    [
      ["/v3/cluster/member/list", "{}"],
      ["/v3/cluster/member/remove", '{"ID":"77"}'],
      ["/v3/cluster/member/add", '{"peerURLs":["http://127.0.0.2:2380"]}'],
    ],
  );
  const yaml = load(etcdYaml(member, start, "/data", tlsFilesOf("etcd", places))) as Record<string, string>;
  assert.equal(yaml["initial-cluster-state"], "existing");
  assert.equal(yaml["initial-cluster"], "etcd-127-0-0-2=http://127.0.0.2:2380");
  assert.equal(yaml["client-transport-security"], undefined);
  // The others began with us and wait: nothing is taken out.
  members = [{ ID: "77", name: "", peerURLs, clientURLs: [] }];
  etcd.asked.length = 0;
  assert.equal((await startOfEtcd(member, places, false, waiting)).state, "existing");
  assert.deepEqual(
    etcd.asked.map(({ path }) => path),
    ["/v3/cluster/member/list"],
  );
  const known = await startOfEtcd(member, places, true, waiting);
  assert.equal(known.state, "existing", "with its data it is who it was");
  assert.equal(known.cluster.split(",").length, 2);
});

test("Heat is told with PUT by a pre-signed URL, with POST and a token of Keystone's where the handle has a user", async (t) => {
  const heat = await serve(t, "127.0.0.1", 0, () => [200, "{}"]);
  const what = { status: "SUCCESS", reason: "homestead-1 is ready", id: "homestead-1" } as const;
  assert.equal(await sendSignal({ alarm_url: `${heat.url}/v1/waitcondition/x` }, what), undefined);
  const user = { auth_url: `${heat.url}/v3/`, user_id: "u", password: "p", project_id: "q" };
  assert.equal(await sendSignal({ alarm_url: `${heat.url}/v1/y/signal`, ...user }, what), undefined);
  assert.deepEqual(
    heat.asked.map(({ method, path }) => `${method} ${path}`),
    ["PUT /v1/waitcondition/x", "POST /v3/auth/tokens", "POST /v1/y/signal"],
  );
  assert.deepEqual(JSON.parse(heat.asked[0]?.body ?? ""), { ...what, data: "homestead-1 is ready" });
  assert.equal(heat.asked[2]?.headers["x-auth-token"], "token-of-keystone");
});

test("a Heat that refuses is tried again and then reported by its status; what is in a wrong signal file is not shown", async (t) => {
  const heat = await serve(t, "127.0.0.1", 0, () => [403, "no"]);
  const what = { status: "FAILURE", reason: "no seed answers", id: "x" } as const;
  assert.equal(await sendSignal({ alarm_url: heat.url }, what, { tries: 2, pauseMs: 1 }), "HTTP 403");
  assert.equal(heat.asked.length, 2);
  const places = machine(t);
  assert.equal(readReadySignal(places.readySignal).kind, "none");
  for (const nothing of ["", "null", "{}"]) {
    writeFileSync(places.readySignal, nothing);
    assert.equal(readReadySignal(places.readySignal).kind, "none");
  }
  for (const wrong of ['{"alarm_url":"file:///secret-thing"}', "secret-thing", '{"secret-thing":1}']) {
    writeFileSync(places.readySignal, wrong);
    const file = readReadySignal(places.readySignal);
    assert.equal(file.kind, "invalid");
    assert.ok(!JSON.stringify(file).includes("secret-thing"));
  }
});

test("bono with TURN starts coturn before itself, for its eyes a configuration with a secret from the key of flow tokens and no way inside", async (t) => {
  const places = machine(t);
  const node = await serve(t, "127.0.0.2", 0, () => [200, "ready\n"]);
  const local = `host=198.51.100.7\ndns_servers=192.0.2.53,ns.example.com\nmanagement_address=127.0.0.2\nmanagement_port=${node.url.split(":")[2]}\n`;
  writeFileSync(places.localConfig, local);
  writeFileSync(places.userShared, "home_domain=example.com\n");
  const started: string[] = [];
  const owners: string[][] = [];
  const modules = {
    places,
    say: () => undefined,
    startUnit: (unit: string): Promise<void> => Promise.resolve(void started.push(unit)),
    own: (path: string, user: string): void => void owners.push([path, user]),
  };
  const bono = memberSchema.parse({
    ...{ ...GOOD, role: "bono", pool: "bono", name: "bono-1", seeds: undefined },
    ...{ turn: "on", turnDenied: ["10.20.3.0/24"] },
  });
  await assert.rejects(startMember(bono, modules), (error: Error & { remedy?: string }) => {
    assert.match(error.message, /key of flow tokens, and there is none/);
    assert.match(error.remedy ?? "", /join_token/);
    return true;
  });
  assert.deepEqual(started, []);
  const key = "f".repeat(64);
  writeFileSync(places.userShared, `home_domain=example.com\nflow_token_key=${key}\n`);
  await startMember(bono, modules);
  assert.deepEqual(started, ["tidewater-turn.service", "tidewater-bono.service"]);
  const text = readFileSync(places.turnConfig, "utf8");
  const lines = text.split("\n");
  for (const line of [
    ...["listening-ip=198.51.100.7", "relay-ip=198.51.100.7", `static-auth-secret=${turnSecretOf(key)}`],
    ...["denied-peer-ip=10.20.3.0-10.20.3.255", "denied-peer-ip=192.0.2.53-192.0.2.53"],
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(!text.includes(key));
  assert.equal(statSync(places.turnConfig).mode & 0o777, 0o400);
  assert.deepEqual(owners.at(-1), [places.turnConfig, "tidewater-turn"]);
  assert.throws(() => memberSchema.parse({ ...GOOD, turnDenied: ["core"] }), /must be a network/);
  writeFileSync(places.localConfig, local.replace("198.51.100.7", "bono.example.com"));
  await assert.rejects(startMember(bono, modules), /host of .* is "bono.example.com"/);
});
