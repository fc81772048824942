import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { turnCredentials } from "@ims/api";
import { freePort } from "@ims/runtime/testing";
import { startCoturn } from "../../src/up/turn/coturn.ts";

const skip =
  spawnSync("turnutils_uclient", ["-h"]).error === undefined
    ? false
    : "coturn is not installed (scripts/install-test-tools)";

test("the TURN server of a lab relays over IPv6 too, keeps its secret for itself and for the next run, and leaves a port in use alone", {
  skip,
}, async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "coturn-"));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const port = await freePort("::1");
  const told = { host: "::1", domain: "example.com", stateDir, port };
  const first = await startCoturn(told);
  t.after(() => first.stop());
  assert.deepEqual(first.uris, [`turn:[::1]:${port}?transport=udp`, `turn:[::1]:${port}?transport=tcp`]);
  const secret = readFileSync(first.secretFile, "utf8").trim();
  for (const file of ["secret", "turnserver.conf"])
    assert.equal(statSync(join(stateDir, "turn", file)).mode & 0o777, 0o600);
  const { username, password } = turnCredentials({
    ...{ secret, user: "alice", now: Date.now(), ttlSeconds: 600, uris: first.uris },
  });
  const args = ["-p", String(port), "-u", username, "-w", password, "-n", "5", "-m", "1", "-c", "-y", "-x"];
  const ended = spawnSync("turnutils_uclient", [...args, "::1"], { encoding: "utf8", timeout: 60_000 });
  assert.match(`${ended.stdout}${ended.stderr}`, /tot_recv_msgs=10\b/);
  await assert.rejects(startCoturn(told), /--turn: ::1:[0-9]+ is in use by another process/);
  await first.stop();
  assert.match(await first.failure, /^coturn ended/);
  const second = await startCoturn(told);
  await second.stop();
  assert.equal(readFileSync(second.secretFile, "utf8").trim(), secret);
});
