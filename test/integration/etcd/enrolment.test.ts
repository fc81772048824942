import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  admitToken,
  EnrolmentServer,
  edgeTokenOf,
  enrol,
  etcdLedger,
  newJoinToken,
  openAuthority,
  reopenToken,
  tokenId,
} from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { startEtcdCluster } from "../../support/etcd.ts";
import { clientOf, cluster, folder, skip, until } from "./support.ts";

const clock = systemClock();

describe("machines are let in by join tokens", { skip }, () => {
  test("as often as a token says, each once; the certificates make an etcd that lets nobody else in", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const client = clientOf(t, endpoints);
    const dir = folder(t);
    const authority = await openAuthority(join(dir, "authority"));
    assert.equal((await openAuthority(join(dir, "authority"))).certificate, authority.certificate);
    const log = memoryLogger();
    const serve = async (ledger = etcdLedger(client, "/site"), by = authority) => {
      const server = new EnrolmentServer({ clock, log, authority: by, ledger, host: "127.0.0.1", port: 0 });
      await server.start();
      t.after(() => server.stop());
      return `http://127.0.0.1:${server.port}`;
    };
    const server = await serve();
    const token = newJoinToken();
    const hour = { uses: 2, expires: clock.now() + 3_600_000 };
    assert.deepEqual(await admitToken(client, "/site", token, hour), { kind: "admitted" });
    assert.deepEqual(await admitToken(client, "/site", token, { ...hour, uses: 9 }), { kind: "known" });
    await assert.rejects(admitToken(client, "/site", "short", hour), RangeError);

    const machine = (name: string) => ({ token, name, address: "127.0.0.1", folder: join(dir, name) });
    const join_ = (name: string, other: Partial<Parameters<typeof enrol>[0]> = {}) =>
      enrol({ servers: ["http://127.0.0.1:1", server], ...machine(name), ...other });
    assert.equal(await join_("vellum-1"), "enrolled");
    assert.equal(await join_("vellum-1"), "known");
    assert.equal(statSync(join(dir, "vellum-1/own.key")).mode & 0o777, 0o600);
    const certificate = new X509Certificate(readFileSync(join(dir, "vellum-1/own.pem")));
    assert.match(certificate.subjectAltName ?? "", /IP Address:127\.0\.0\.1/);
    assert.equal(certificate.ca, false);

    // Whoever does not know the token is not let in, and is not believed.
    const refused = async (asked: Promise<unknown>, problem: RegExp) =>
      assert.rejects(asked, (error) => error instanceof Error && problem.test(error.message));
    await refused(join_("vellum-9", { token: newJoinToken() }), /unknown, used up or expired/);
    const other = newJoinToken();
    const liar = { find: () => Promise.resolve(other), take: () => Promise.resolve(true) };
    const false_ = await serve(liar, await openAuthority(join(dir, "false")));
    await refused(join_("vellum-9", { servers: [false_] }), /unknown|does not know the join token itself/);
    for (const [path, body] of [
      ["/enrol", "{"],
      ["/enrol", JSON.stringify({ version: 1, __proto__: 1 })],
      ["/enrol", "x".repeat(100_000)],
      ["/other", "{}"],
    ] as const) {
      const answer = await fetch(server + path, { method: "POST", body }).catch(() => undefined);
      assert.ok(answer === undefined || answer.status === 400 || answer.status === 404);
    }

    assert.equal(await join_("vellum-2"), "enrolled");
    await refused(join_("vellum-3"), /unknown, used up or expired/);
    const late = newJoinToken();
    await admitToken(client, "/site", late, { uses: 5, expires: clock.now() - 1 });
    await refused(join_("vellum-4", { token: late }), /expired/);
    assert.deepEqual(await reopenToken(client, "/site", late, hour), { kind: "reopened" });
    assert.equal(await join_("vellum-4", { token: late }), "enrolled");
    const edge = edgeTokenOf(late);
    await admitToken(client, "/site", edge, { ...hour, purpose: "edge" });
    await refused(join_("vellum-5", { token: edge }), /unknown/);
    assert.equal(
      await etcdLedger(client, "/site", ["edge", "machine"]).find(tokenId(edge), clock.now()),
      edge,
    );
    const said = JSON.stringify(log.lines);
    assert.ok(!said.includes(token) && !said.includes("PRIVATE KEY"));

    const files = (name: string) => ({
      certFile: join(dir, name, "own.pem"),
      keyFile: join(dir, name, "own.key"),
      caFile: join(dir, name, "ca.pem"),
    });
    const secure = await startEtcdCluster(1, files("vellum-1"));
    t.after(() => secure.stop());
    const pem = (name: string, file: string) => readFileSync(join(dir, name, file), "utf8");
    const tls = {
      ca: pem("vellum-2", "ca.pem"),
      cert: pem("vellum-2", "own.pem"),
      key: pem("vellum-2", "own.key"),
    };
    const inside = clientOf(t, secure.endpoints, { tls });
    await until("it is let in", async () => (await inside.put("k", "v")).kind === "stored");
    const outside = await clientOf(t, secure.endpoints, { tls: { ca: tls.ca }, deadlineMs: 500 }).put(
      "k",
      "v",
    );
    assert.equal(outside.kind, "unavailable");
  });
});
