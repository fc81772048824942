import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  alarmList,
  alarmRoutes,
  createHealth,
  managementServer,
  metricsRegister,
  runtimeProblems,
  Trail,
  type TrailContent,
  trailRoute,
} from "@ims/runtime";
import { fitted } from "../../src/terminal/screen.ts";
import { openControl } from "../../src/up/pools/control.ts";
import { atShell, atTerminal, piped, shown } from "./terminal-under-test.ts";

interface Node {
  readonly url: string;
  readonly alarms: ReturnType<typeof alarmList>;
  step(content: Partial<TrailContent> & { readonly title: string }): void;
  stop(): Promise<void>;
}

/** A management port with alarms and a trail. */
async function node(t: TestContext, name: string): Promise<Node> {
  const alarms = alarmList();
  const trail = new Trail({ bytes: 100_000, steps: 100, clock: { monotonic: () => performance.now() } });
  const kind = trail.addReader("test", { read: (bytes) => JSON.parse(bytes.toString()) as TrailContent });
  const server = managementServer(
    { address: "127.0.0.1", port: 0 },
    {
      register: metricsRegister(),
      health: createHealth(alarms),
      routes: [...alarmRoutes(name, alarms), trailRoute(name, trail)],
    },
  );
  await server.start();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= server.stop());
  t.after(stop);
  return {
    url: `http://127.0.0.1:${server.port}`,
    alarms,
    step: (content) => trail.text(kind, "in", undefined, JSON.stringify({ kind: "sip", ...content })),
    stop,
  };
}

const { fileRefused, diskNearlyFull } = runtimeProblems;
const ALICE = "sip:alice@example.com";

test("tidewater alarms --watch draws in place at a terminal; Ctrl-C leaves the terminal as it was, with the last picture", async (t) => {
  const { url, alarms } = await node(t, "sprout");
  const run = atTerminal(t, ["alarms", "--url", url, "--watch", "--every", "0.1"]);
  const screen = (): string => shown(run.out).lines.join("\n");
  await run.until("first picture", () => /tidewater alarms .*Ctrl-C ends\n\nno alarms: /.test(screen()));
  assert.deepEqual([shown(run.out).cursor, shown(run.out).wraps], [false, false]);
  for (const object of ["a.json", "b.json", "c.json", "d.json"])
    alarms.raise(fileRefused, { object, text: "is not JSON \u001b[31m" });
  await run.until("alarms", () => screen().includes("more lines"));
  assert.equal(shown(run.out).lines.length, 12, "no more than the rows of the terminal");
  assert.match(run.out, /\u001b\[31mMAJOR/, "severities have colours");
  assert.doesNotMatch(run.out, /is not JSON \u001b/, "what a node says does not talk to the terminal");
  for (const object of ["b.json", "c.json", "d.json"]) alarms.clear(fileRefused, object);
  await run.until("one alarm", () => /a\.json/.test(screen()) && !/more lines/.test(screen()));
  assert.doesNotMatch(screen(), /[bcd]\.json/, "nothing is left of the picture before");
  run.type("\u0003");
  assert.equal(await run.exitCode(), 1, "as without --watch: there is an alarm");
  const { lines, cursor, wraps } = shown(run.out);
  assert.deepEqual([cursor, wraps, lines.at(-1)], [true, true, "[exit 1]"]);
  assert.match(lines.join("\n"), /MAJOR .*TW-1005 file-refused/);
  assert.doesNotMatch(lines.join("\n"), /Ctrl-C ends/);
});

test("NO_COLOR, and a terminal that cannot draw, are heeded; a node that goes away does not end the watch", async (t) => {
  const { url, alarms, stop } = await node(t, "sprout");
  alarms.raise(diskNearlyFull, { object: "/state", severity: "CRITICAL", text: "1 % free" });
  const plain = atTerminal(t, ["alarms", "--url", url, "--watch", "--every", "0.1"], {
    env: { NO_COLOR: "1" },
  });
  const dumb = atTerminal(t, ["alarms", "--url", url, "--watch", "--every", "0.1"], {
    env: { TERM: "dumb" },
  });
  await plain.until("alarm", () => /TW-1009/.test(plain.out));
  await dumb.until("alarm", () => /TW-1009/.test(dumb.out));
  await stop();
  await plain.until("problem", () =>
    /tidewater: 127\.0\.0\.1:[0-9]+ \(/.test(shown(plain.out).lines[2] ?? ""),
  );
  for (const run of [plain, dumb]) run.type("\u0003");
  assert.deepEqual([await plain.exitCode(), await dumb.exitCode()], [1, 1]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  assert.doesNotMatch(plain.out, /\u001b\[[1-9][0-9;]*m/);
  assert.ok(!dumb.out.includes("\u001b[?"), "nothing is drawn");
});

test("elsewhere than at a terminal --watch prints changes, with --json a line each; SIGTERM ends it with the code of the last look", async (t) => {
  const { url, alarms } = await node(t, "sprout");
  const json = piped(t, ["alarms", "--url", url, "--watch", "--every", "0.1", "--json"]);
  const text = piped(t, ["alarms", "--url", url, "--watch", "--every", "0.1"]);
  const lines = (): string[] => json.out.split("\n").slice(0, -1);
  await json.until("first line", () => lines().length === 1);
  await text.until("first picture", (out) => /^no alarms/.test(out));
  alarms.raise(fileRefused, { object: "a.json", text: "is not JSON" });
  await json.until("second line", () => lines().length === 2);
  await text.until("second picture", (out) => out.includes("file-refused"));
  alarms.clear(fileRefused, "a.json");
  await json.until("third line", () => lines().length === 3);
  await text.until("last picture", (out) => /file-refused[\s\S]*\n\nno alarms.*\n$/.test(out));
  for (const run of [json, text]) run.signal("SIGTERM");
  assert.deepEqual([await json.exitCode(), await text.exitCode(), json.err, text.err], [0, 0, "", ""]);
  const told = lines().map((line) => JSON.parse(line) as { time: string; well: boolean });
  assert.deepEqual(
    told.map(({ well }) => well),
    [true, false, true],
  );
  assert.ok(told.every(({ time }) => Date.parse(time) > 0));
  assert.ok(!text.out.includes("\u001b"), "no codes in a pipe");
});

test("Ctrl-Z gives the terminal back to the shell, fg draws again, Ctrl-C ends", async (t) => {
  const { url } = await node(t, "sprout");
  const shell = atShell(t);
  await shell.until("shell", (out) => out.includes("ready\r\n"));
  const since = (mark: string): string => shell.out.slice(shell.out.lastIndexOf(mark));
  shell.type(`tidewater alarms --url ${url} --watch --every 0.1\n`);
  await shell.until("picture", (out) => out.includes("no alarms"));
  shell.type("\u001a");
  await shell.until("stop", () => /Stopped/.test(since("\u001b[?1049l")));
  assert.ok(since("\u001b[?25l").includes("\u001b[?25h\u001b[?1049l"), "the cursor is there again");
  shell.type("echo between\n");
  await shell.until("command of the shell", () => since("Stopped").includes("between"));
  assert.ok(!since("between").includes("\u001b[H"), "nothing is drawn meanwhile");
  shell.type("fg\n");
  await shell.until("picture again", () => /1049h[\s\S]*no alarms/.test(since("between")));
  shell.type("\u0003");
  await shell.until("end", () => since("\u001b[?1049h").includes("\u001b[?1049l"));
  shell.type("exit 7\n");
  assert.equal(await shell.exitCode(), 7, "the shell is well");
});

test("tidewater status --watch tells what becomes of the processes; its code says whether all are ready", async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-watch-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const member = { name: "sprout-1", host: "127.0.2.1", pid: 7, state: "ready", restarts: 0 };
  let nodes = [member];
  const control = await openControl(stateDir, async () => ({ nodes }));
  t.after(() => control.close());
  const run = piped(t, ["status", "--state-dir", stateDir, "--watch", "--every", "0.1", "--json"]);
  await run.until("first line", (out) => out.includes('"ready"'));
  nodes = [{ ...member, pid: 0, state: "down", restarts: 1 }];
  await run.until("second line", (out) => /"ready"[\s\S]*\n[\s\S]*"down"/.test(out));
  run.signal("SIGTERM");
  assert.equal(await run.exitCode(), 1);
  assert.deepEqual(
    run.out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { nodes: { state: string }[] }).nodes[0]?.state),
    ["ready", "down"],
  );
});

test("what cannot be watched from the beginning is an error as without --watch; a wrong pace is wrong use", async (t) => {
  const gone = piped(t, ["status", "--state-dir", "/nowhere", "--watch"]);
  const wrong = piped(t, ["alarms", "--watch", "--every", "0"]);
  const both = piped(t, ["trail", "x", "--follow", "--pcapng", "x.pcapng"]);
  assert.deepEqual([await gone.exitCode(), await wrong.exitCode(), await both.exitCode()], [1, 2, 2]);
  assert.match(gone.err, /^tidewater: no tidewater up --pools is running with .*\n$/);
  assert.match(wrong.err, /--every .*from 0\.1 to 3600/);
  assert.match(both.err, /--pcapng .*cannot be used with .*--follow/);
});

test("tidewater trail --follow: the ladder grows as messages flow, at a terminal in place, elsewhere step by step", async (t) => {
  const { url, step } = await node(t, "bono");
  const where = ["trail", ALICE, "--node", `bono=${url}`, "--follow", "--every", "0.1"];
  const drawn = atTerminal(t, where, { rows: 10 });
  const text = piped(t, where);
  const json = piped(t, [...where, "--json"]);
  await drawn.until("wait", () => /nothing is known of sip:alice@example\.com yet/.test(drawn.out));
  const screen = (): string => shown(drawn.out).lines.join("\n");
  const say = (title: string): void =>
    step({ title, method: "INVITE", callId: "c1", identities: [ALICE], request: true });
  say("INVITE sip:bob@example.com");
  await drawn.until("first rung", () => /\* bono, sip: INVITE sip:bob/.test(screen()));
  await text.until("first step", (out) =>
    /^INVITE .*Call-ID c1\n[0-9:.]+ {2}\* bono, sip: INVITE/m.test(out),
  );
  for (let count = 1; count <= 20; count++) say(`step ${count}`);
  await drawn.until("last rung", () => /step 20$/m.test(screen()));
  assert.match(screen(), /^tidewater trail sip:alice@example\.com .*\n\n\.\.\. [0-9]+ more lines\n/);
  assert.equal(shown(drawn.out).lines.length, 10);
  await text.until("last step", (out) => out.includes("step 20"));
  await json.until("last step", (out) => out.includes("step 20"));
  for (const run of [text, json]) run.signal("SIGINT");
  drawn.type("\u0003");
  assert.deepEqual([await drawn.exitCode(), await text.exitCode(), await json.exitCode()], [0, 0, 0]);
  assert.deepEqual(
    json.out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { step: { title: string } }).step.title),
    ["INVITE sip:bob@example.com", ...Array.from({ length: 20 }, (_, index) => `step ${index + 1}`)],
    "each step once",
  );
  assert.equal(text.out.match(/step [0-9]+$/gm)?.length, 20);
  assert.equal(text.out.match(/Call-ID c1/g)?.length, 1);
  assert.match(
    shown(drawn.out).lines.join("\n"),
    /step 1\n[\s\S]*step 20\n\[exit 0\]/,
    "the whole ladder stays",
  );
});

test("tidewater trail --follow sees a node that comes later", async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-follow-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  mkdirSync(join(stateDir, "run"));
  const tell = ({ url }: Node, name: string): void =>
    writeFileSync(
      join(stateDir, "run", `${name}.json`),
      JSON.stringify({ node: name, pid: process.pid, management: url }),
    );
  const [sprout, bono] = [await node(t, "sprout"), await node(t, "bono")];
  tell(sprout, "sprout");
  const run = piped(t, ["trail", ALICE, "--state-dir", stateDir, "--follow", "--every", "0.1"]);
  sprout.step({ title: "first", method: "INVITE", callId: "c1", identities: [ALICE], request: true });
  await run.until("step of the first node", (out) => out.includes("* sprout, sip: first"));
  tell(bono, "bono");
  bono.step({ title: "second", method: "INVITE", callId: "c1", identities: [ALICE] });
  await run.until("step of the second node", (out) => out.includes("* bono, sip: second"));
});

test("a picture that is higher than the terminal keeps its head, and its end or its beginning", () => {
  const lines = ["1", "2", "3", "4"];
  assert.deepEqual(fitted({ head: ["h"], lines }, 5), ["h", "1", "2", "3", "4"]);
  assert.deepEqual(fitted({ head: ["h"], lines }, 4), ["h", "1", "2", "... 2 more lines"]);
  assert.deepEqual(fitted({ head: ["h"], lines, keepEnd: true }, 4), ["h", "... 2 more lines", "3", "4"]);
  assert.deepEqual(fitted({ head: ["h", "i", "j"], lines }, 2), ["h", "... 4 more lines"]);
});
