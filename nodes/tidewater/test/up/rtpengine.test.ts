import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "@ims/runtime/testing";
import { startRtpengine } from "../../src/up/media-gateway/rtpengine.ts";
import { nodeCommands } from "../../src/up/nodes.ts";

const skip =
  spawnSync("rtpengine", ["--version"]).error === undefined
    ? false
    : "rtpengine is not installed (scripts/install-test-tools)";

test("the media gateway of a lab runs on IPv6 too, leaves a port in use alone, and ends with its lab", {
  skip,
}, async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "rtpengine-"));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const port = await freePort("::1");
  const told = { host: "::1", inside: "::1", stateDir, engage: "auto", port } as const;
  const first = await startRtpengine(told);
  t.after(() => first.stop());
  assert.equal(first.address, `[::1]:${port}`);
  assert.equal(Number(readFileSync(join(stateDir, "rtpengine.pid"), "utf8")), first.pid);
  await assert.rejects(
    startRtpengine(told),
    /--media-gateway: \[::1\]:[0-9]+ is in use by another rtpengine/,
  );
  await first.stop();
  assert.match(await first.failure, /^rtpengine ended/);
});

test("--media-gateway tells bono where rtpengine is, and when to use it; without it bono has none", () => {
  const options = { host: "127.0.0.1", domain: "example.com", stateDir: "/state", seedExamples: false };
  const args = (mediaGateway?: { address: string; engage: "always" }): string =>
    nodeCommands({ ...options, logLevel: "warn", set: [], mediaGateway })
      .find(({ name }) => name === "bono")
      ?.args.join(" ") ?? "";
  assert.match(
    args({ address: "127.0.0.1:2223", engage: "always" }),
    /--media-gateway always --media-gateway-addresses 127\.0\.0\.1:2223/,
  );
  assert.doesNotMatch(args(), /media-gateway/);
});
