import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const program = join(import.meta.dirname, "fixtures", "two-services.ts");

interface Ready {
  readonly node: string;
  readonly ports: { readonly management: number };
}

interface Start {
  readonly first?: string;
  readonly second?: string;
  readonly compileCache?: string;
}

function run(t: TestContext, args: Start = {}) {
  const { compileCache } = args;
  // Not the arguments of the test runner: they make SIGUSR2 write a report.
  const child = fork(program, [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      ...process.env,
      ARGS_first: args.first ?? "",
      ARGS_second: args.second ?? "",
      ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
    },
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  child.stdout?.on("data", (data) => {
    output += data;
  });
  child.stderr?.on("data", (data) => {
    errors += data;
  });
  const messages: Ready[] = [];
  const ready = new Promise<readonly Ready[]>((resolve) => {
    child.on("message", (message) => {
      messages.push(message as Ready);
      if (messages.length === 2) resolve(messages);
    });
  });
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  /** "node message" of every log line. */
  const lines = (): string[] =>
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { node: string; msg: string })
      .map(({ node, msg }) => `${node} ${msg}`);
  return { child, ready, ended, lines, errors: () => errors };
}

test("two nodes in a process start in order, each with a name and a management port of its own", async (t) => {
  const both = run(t);
  const [first, second] = await both.ready;
  assert.deepEqual([first?.node, second?.node], ["first", "second"]);
  assert.notEqual(first?.ports.management, second?.ports.management);
  for (const { ports } of [first, second] as Ready[])
    assert.equal((await fetch(`http://127.0.0.1:${ports.management}/health/ready`)).status, 200);
});

test("who is killed has left its compiled modules for the next start", async (t) => {
  const compileCache = mkdtempSync(join(tmpdir(), "tidewater-compile-"));
  t.after(() => rmSync(compileCache, { recursive: true, force: true }));
  const modules = (): string[] => globSync(join(compileCache, "*", "*")).sort();
  for (const start of ["first", "second"]) {
    const before = modules();
    const both = run(t, { compileCache });
    await both.ready;
    both.child.kill("SIGKILL");
    assert.equal(await both.ended, "SIGKILL");
    if (start === "first") assert.ok(modules().length > 50, "a file for each module");
    else assert.deepEqual(modules(), before);
  }
});

test("SIGTERM ends the last one first, and the first one serves until then", async (t) => {
  const both = run(t);
  await both.ready;
  both.child.kill("SIGTERM");
  assert.equal(await both.ended, 0);
  assert.deepEqual(
    both.lines().filter((line) => !/ (starting|ready)$/.test(line)),
    ["second", "first"].flatMap((name) => [
      `${name} stopping`,
      `${name} quiescing`,
      `${name} nothing is in progress any more`,
      `${name} stopping now`,
      `${name} stopped`,
    ]),
  );
});

test("each node has its own time to quiesce; a second SIGTERM hurries all", async (t) => {
  const timed = run(t, { second: "--trouble slow-quiesce --quiesce-seconds 0.1" });
  await timed.ready;
  timed.child.kill("SIGTERM");
  assert.equal(await timed.ended, 0);
  assert.ok(timed.lines().includes("first nothing is in progress any more"));

  const hurried = run(t, { second: "--trouble slow-quiesce --quiesce-seconds 600" });
  await hurried.ready;
  hurried.child.kill("SIGTERM");
  while (!hurried.lines().includes("second quiescing"))
    await new Promise((resolve) => setTimeout(resolve, 10));
  hurried.child.kill("SIGTERM");
  assert.equal(await hurried.ended, 0);
  assert.ok(!hurried.lines().includes("first quiescing"));
});

test("SIGUSR2 changes the log level of every node in the process", async (t) => {
  const both = run(t);
  await both.ready;
  both.child.kill("SIGUSR2");
  const changed = (): string[] => both.lines().filter((line) => line.endsWith("log level changed"));
  while (changed().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(changed(), ["first log level changed", "second log level changed"]);
});

test("one that cannot start ends the process, and those before it are stopped", async (t) => {
  const both = run(t, { second: "--trouble no-start" });
  assert.equal(await both.ended, 1);
  assert.match(both.errors(), /second: cannot start: .*second has no place/);
  assert.ok(both.lines().includes("first stopping now"));
});

test("mistakes in the options of all nodes are told at once", async (t) => {
  const both = run(t, { first: "--trouble odd", second: "--trouble even" });
  assert.equal(await both.ended, 2);
  assert.match(both.errors(), /^first: --trouble "odd".*\nsecond: --trouble "even"/);
});
