import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { alarmList, type ShownOption } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { LiveConfig, type LiveReading } from "../../src/config/live-config.ts";
import { nearestName } from "../../src/config/nearest-name.ts";

const PROGRAM = join(import.meta.dirname, "../fixtures/two-services.ts");

function reading(options: Record<string, unknown>): Extract<LiveReading, { kind: "loaded" }> {
  const shown = Object.fromEntries(
    Object.entries(options).map(([key, value]): [string, ShownOption] => [
      key,
      { value, source: `file: ${key}` },
    ]),
  );
  return { kind: "loaded", options, shown, hot: new Set(["rate", "target"]) };
}

test("a hot option is taken at once, any other waits for a restart; what the node would not start with changes nothing and is an alarm", () => {
  const alarms = alarmList();
  const log = memoryLogger();
  const live = new LiveConfig(reading({ rate: 1, target: 50, port: 5060, peers: ["a"] }), {
    log,
    alarms,
    files: ["/etc/x"],
  });
  const rates: number[] = [];
  live.follow<number>("rate", (rate) => {
    rates.push(rate);
    return true;
  });
  // One that cannot be taken in this state of the node.
  live.follow<number>("target", (ms) => ms !== 0);
  assert.throws(() => live.follow("port", () => true), RangeError);

  assert.deepEqual(live.take(reading({ rate: 2, target: 0, port: 5070, peers: ["a"] })), {
    taken: ["rate"],
    restart: ["target", "port"],
  });
  assert.deepEqual(rates, [2]);
  assert.deepEqual([live.value("rate"), live.value("target"), live.value("port")], [2, 50, 5060]);
  assert.deepEqual(live.shown["port"], {
    value: 5060,
    source: "file: port",
    next: { value: 5070, source: "file: port" },
  });
  assert.deepEqual(live.take(reading({ rate: 2, target: 0, port: 5070, peers: ["a"] })), {
    taken: [],
    restart: [],
  });

  live.take({ kind: "invalid", lines: ["/etc/x:1: rate: too small"] });
  live.take({ kind: "invalid", lines: ["/etc/x:1: rate: too small"] });
  assert.equal(log.lines.filter(({ msg }) => msg === "the configuration stays as it is").length, 1);
  alarms.look();
  assert.deepEqual(
    alarms
      .active()
      .map(({ problem, objectInstance, additionalText }) => [problem.name, objectInstance, additionalText]),
    [["configuration-refused", "/etc/x", "/etc/x:1: rate: too small"]],
  );
  assert.equal(live.value("rate"), 2);

  assert.deepEqual(live.take(reading({ rate: 3, target: 50, port: 5060, peers: ["a"] })).taken, ["rate"]);
  alarms.look();
  assert.deepEqual(alarms.active(), []);
  assert.equal(live.shown["port"]?.next, undefined);
});

test("the nearest name is told, and none where nothing is near", () => {
  const names = ["home_domain", "log_level", "sip_port", "wss_port"];
  for (const [given, meant] of [
    ["home_domian", "home_domain"],
    ["loglevel", "log_level"],
    ["ws_port", "wss_port"],
    ["colour", undefined],
    ["", undefined],
    ["__proto__", undefined],
  ] as const)
    assert.equal(nearestName(given, names), meant, given);
});

test("a node takes the log level and the grace period from its changed file without a restart, and says what waits for one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "reload-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "node.conf");
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write("log_level=info\n");
  const child = fork(PROGRAM, [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, ARGS_first: `--config ${file} --cell 2 --zone core-a`, ARGS_second: "" },
  });
  t.after(() => child.kill("SIGKILL"));
  const port = await new Promise<number>((resolve) =>
    child.on("message", (message: { node: string; ports: { management: number } }) => {
      if (message.node === "first") resolve(message.ports.management);
    }),
  );
  const ask = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  const option = async (key: string): Promise<unknown> =>
    ((await ask("/about")) as { options: Record<string, unknown> }).options[key];
  const until = async (key: string, wanted: unknown): Promise<void> => {
    for (const end = Date.now() + 15_000; ; await new Promise((done) => setTimeout(done, 50))) {
      const found = await option(key);
      try {
        return assert.deepEqual(found, wanted);
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  };
  assert.deepEqual(((await ask("/about")) as { place: unknown }).place, { cell: "2", zone: "core-a" });
  write("# a comment\nlog_level=debug\nquiesce_seconds=7\ntrouble=slow-quiesce\n");
  await until("logLevel", { value: "debug", source: `${file}:2: log_level` });
  assert.equal(((await ask("/log-level")) as { level: string }).level, "debug");
  assert.deepEqual(await option("quiesceSeconds"), { value: 7, source: `${file}:3: quiesce_seconds` });
  assert.deepEqual(await option("trouble"), {
    value: "none",
    source: "default",
    next: { value: "slow-quiesce", source: `${file}:4: trouble` },
  });
  write("# configuration 12\n# Written by etcd-cluster; change it with tidewater config.\nlog_level=warn\n");
  await until("logLevel", { value: "warn", source: `etcd, configuration 12: ${file}:3: log_level` });
});
