import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { alarmList, diskWatcher, watchCertificate, watchMemory } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";

const DAY_MS = 86_400_000;

function severities(alarms: ReturnType<typeof alarmList>): string[] {
  return alarms.active().map(({ problem, perceivedSeverity }) => `${problem.name} ${perceivedSeverity}`);
}

test("a certificate that expires is a warning 30 days before, major from 7 days, critical from the day on", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-certificate-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, file] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-days", "40", "-nodes", "-subj", "/CN=bono.example.com", "-keyout", key, "-out", file];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject], { stdio: "ignore" });
  const start = Date.now();
  let now = start;
  const clock = { ...fakeClock(), now: () => now };
  const alarms = alarmList();
  watchCertificate({ file, pem: readFileSync(file, "utf8") }, { alarms, clock });
  watchCertificate({ file: "no certificate", pem: "rubbish" }, { alarms, clock });
  const seen = [1, 9, 11, 32, 34, 41].map((days) => {
    now = start + days * DAY_MS;
    return severities(alarms).join();
  });
  assert.deepEqual(seen, [
    "",
    "",
    "certificate-expiring WARNING",
    "certificate-expiring WARNING",
    "certificate-expiring MAJOR",
    "certificate-expiring CRITICAL",
  ]);
  assert.equal(alarms.active()[0]?.objectInstance, file);
});

test("a disk that fills is a warning, then major, then critical, and none when there is room again", async () => {
  const clock = fakeClock();
  const alarms = alarmList();
  let free = 50;
  const watcher = diskWatcher("/state", { alarms, clock }, async () => ({ free, size: 100 }));
  await watcher.start();
  const seen: string[] = [];
  for (const next of [50, 9, 4, 1, 60]) {
    free = next;
    await clock.advanceAsync(30_000);
    seen.push(severities(alarms).join());
  }
  await watcher.stop();
  assert.deepEqual(seen, [
    "",
    "disk-nearly-full WARNING",
    "disk-nearly-full MAJOR",
    "disk-nearly-full CRITICAL",
    "",
  ]);
});

test("a real folder has a disk; one that is not there is no alarm", async (t) => {
  const alarms = alarmList();
  const clock = fakeClock();
  for (const folder of [tmpdir(), "/there/is/none"]) {
    const watcher = diskWatcher(folder, { alarms, clock });
    await watcher.start();
    t.after(() => watcher.stop());
  }
  assert.deepEqual(
    alarms.active().filter(({ objectInstance }) => objectInstance === "/there/is/none"),
    [],
  );
});

test("a heap that stays nearly full is an alarm; garbage that is collected is none", () => {
  const alarms = alarmList();
  let used = 95;
  watchMemory(alarms, () => ({ used, limit: 100 }), 3);
  alarms.look();
  used = 50;
  alarms.look();
  used = 95;
  const seen = [1, 2, 3].map(() => severities(alarms).length);
  used = 85;
  seen.push(severities(alarms).length);
  used = 70;
  seen.push(severities(alarms).length);
  assert.deepEqual(seen, [0, 0, 1, 1, 0]);
});
