import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeCassandra } from "../../images/member/cassandra.ts";
import { startOfCassandra } from "../../images/member/cassandra-start.ts";
import { type Places, placesBelow, put } from "../../images/member/files.ts";
import { memberSchema } from "../../images/member/member-file.ts";
import { startMember } from "../../images/member/start.ts";

const SEEDS = ["10.20.3.11", "10.20.3.12", "fd00:20:3::13"];
const OWN = { address: "10.20.3.12", seeds: SEEDS };

function machine(t: TestContext): Places {
  const root = mkdtempSync(join(tmpdir(), "member-"));
  t.after(() => rmSync(root, { recursive: true }));
  const places = placesBelow(root);
  mkdirSync(places.cassandraJars, { recursive: true });
  writeFileSync(join(places.cassandraJars, "jamm-0.4.0.jar"), "");
  return places;
}

/** Asks as a member does. `answers`: what the two others say, time by time. */
async function ask(places: Places, hasServed: boolean, ...answers: (readonly (boolean | undefined)[])[]) {
  const asked: string[] = [];
  const said: string[] = [];
  const ring = {
    hasServed: () => Promise.resolve(hasServed),
    knows(seed: string, address: string) {
      asked.push(seed);
      assert.equal(address, OWN.address);
      const turn = Math.min(Math.ceil(asked.length / 2), answers.length) - 1;
      return Promise.resolve(answers[turn]?.[seed === SEEDS[0] ? 0 : 1]);
    },
  };
  const say = (line: string): void => void said.push(line);
  const waiting = { say, deadline: performance.now() + 200, everyMs: 20 };
  const start = await startOfCassandra(OWN, places, ring, waiting).catch((error: unknown) => String(error));
  return { start, asked, said };
}

test("vellums of a new site start at once, each at its own place in the ring", async (t) => {
  const places = machine(t);
  const { start, asked, said } = await ask(places, false, [undefined, undefined]);
  assert.deepEqual([start, asked.length, said], ["seat", 2, []]);
  assert.equal((await ask(machine(t), false, [false, undefined])).start, "seat", "another was quicker");
  const alone = { hasServed: assert.fail, knows: assert.fail };
  const waiting = { say: assert.fail, deadline: 0 };
  const single = { address: OWN.address, seeds: [OWN.address] };
  assert.equal(await startOfCassandra(single, machine(t), alone, waiting), "seat");
});

test("a vellum without its disk replaces itself when a node of the ring knows it, and waits for one where it has served", async (t) => {
  assert.equal((await ask(machine(t), false, [undefined, true])).start, "replace", "of an earlier release");
  const late = await ask(machine(t), true, [undefined, undefined], [undefined, undefined], [true, undefined]);
  assert.deepEqual([late.start, late.asked.length, late.said.length], ["replace", 6, 1]);
  const never = await ask(machine(t), true, [undefined, undefined]);
  assert.match(String(never.start), /no other node of the ring answers \(10\.20\.3\.11, fd00:20:3::13\)/);
});

test("a vellum with its disk asks nobody; one whose first start was broken off does", async (t) => {
  const places = machine(t);
  put(`${places.cassandraData}/data/system/local`, "");
  assert.deepEqual(await ask(places, true, [true, true]), { start: "seat", asked: [], said: [] });
  put(places.cassandraUnfinished, "replace\n");
  assert.equal((await ask(places, true, [undefined, undefined], [true, true])).start, "replace");
});

test("who replaces streams from the others as no seed, with the token of the one before; else it has a fixed token", (t) => {
  const places = machine(t);
  const written = (how: "seat" | "replace") => {
    writeCassandra(OWN, places, how);
    const yaml = JSON.parse(readFileSync(`${places.run}/cassandra.yaml`, "utf8")) as Record<string, unknown>;
    const { num_tokens, initial_token, auto_bootstrap, seed_provider } = yaml;
    const [{ parameters }] = seed_provider as [{ parameters: [{ seeds: string }] }];
    const jvm = readFileSync(`${places.run}/cassandra.jvm`, "utf8");
    const replaced = /^-Dcassandra\.replace_address_first_boot=(.*)$/m.exec(jvm)?.[1];
    return { num_tokens, initial_token, auto_bootstrap, seeds: parameters[0].seeds, replaced };
  };
  assert.deepEqual(written("replace"), {
    ...{ num_tokens: 1, initial_token: undefined, auto_bootstrap: true },
    ...{ seeds: "10.20.3.11:7000,[fd00:20:3::13]:7000", replaced: OWN.address },
  });
  assert.deepEqual(written("seat"), {
    ...{ num_tokens: 1, initial_token: "-3074457345618258603", auto_bootstrap: false },
    ...{ seeds: "10.20.3.11:7000,10.20.3.12:7000,[fd00:20:3::13]:7000", replaced: undefined },
  });
});

test("a vellum whose Cassandra serves says so in etcd, and its data counts as whole", async (t) => {
  const places = machine(t);
  const address = "127.0.0.83";
  const asked: string[] = [];
  const etcd = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (request.url === "/v3/kv/put")
        asked.push(Buffer.from((JSON.parse(body) as { key: string }).key, "base64").toString());
      const done = '{"header":{"revision":"1"},"succeeded":true,"responses":[{}]}';
      response.end(request.url === "/health" ? '{"health":"true"}' : done);
    });
  });
  const cql = createServer((socket) => socket.destroy());
  const listen = (server: Server, port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, address, resolve);
      t.after(() => server.close());
    });
  await listen(etcd, 2379);
  t.after(() => etcd.closeAllConnections());
  const units: string[] = [];
  const member = memberSchema.parse({
    ...{ role: "vellum", pool: "vellum", index: 0, cell: 0, name: "vellum-0" },
    ...{ domain: "example.com", address, seeds: [address] },
  });
  await startMember(member, {
    ...{ places, say: () => undefined, own: () => undefined },
    async startUnit(unit) {
      units.push(unit);
      if (unit !== "tidewater-cassandra.service") return;
      assert.ok(existsSync(places.cassandraUnfinished), "until it serves");
      await listen(cql, 9042);
    },
  });
  assert.equal(units.at(-1), "tidewater-cassandra.service");
  assert.ok(!existsSync(places.cassandraUnfinished));
  assert.deepEqual(asked, [`/tidewater/cassandra-seats/${address}`]);
});
