import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const program = join(import.meta.dirname, "fixtures", "sample-service.ts");

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

function run(t: TestContext, ...argv: string[]): Run {
  const execArgv = ["--disable-warning=ExperimentalWarning"];
  const child = fork(program, argv, { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  child.stdout?.on("data", (data) => {
    output += data;
  });
  child.stderr?.on("data", (data) => {
    errors += data;
  });
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return { child, output: () => output, errors: () => errors, ended };
}

interface Ready {
  readonly ready: true;
  readonly ports: { readonly management: number; readonly sample: number };
}

async function ready({ child }: Run): Promise<Ready["ports"]> {
  const [message] = (await once(child, "message", { signal: AbortSignal.timeout(10_000) })) as [Ready];
  assert.equal(message.ready, true);
  return message.ports;
}

test("a started service tells its parent the ports and serves health and metrics", async (t) => {
  const service = run(t);
  const ports = await ready(service);
  assert.ok(ports.sample > 0);
  const health = await fetch(`http://127.0.0.1:${ports.management}/health/ready`);
  assert.equal(health.status, 200);
  const metrics = await (await fetch(`http://127.0.0.1:${ports.management}/metrics`)).text();
  assert.match(metrics, /process_cpu_user_seconds_total/);
});

test("a rehearsal that fails is logged, and the service starts", async (t) => {
  const service = run(t, "--trouble", "bad-rehearsal");
  await ready(service);
  service.child.kill("SIGTERM");
  assert.equal(await service.ended, 0);
  assert.match(service.output(), /nothing works here.*the rehearsal failed[^\n]*\n[^\n]*"msg":"ready"/);
});

test("SIGTERM quiesces, stops, writes the last lines and exits 0", async (t) => {
  const service = run(t);
  await ready(service);
  service.child.kill("SIGTERM");
  assert.equal(await service.ended, 0);
  assert.match(service.output(), /quiescing now[\s\S]*"msg":"stopped"/);
});

test("SIGTERM waits for work in progress no longer than the deadline", async (t) => {
  const service = run(t, "--trouble", "slow-quiesce", "--quiesce-seconds", "0.1");
  await ready(service);
  service.child.kill("SIGTERM");
  assert.equal(await service.ended, 0);
  assert.match(
    service.output(),
    /"level":"warn".*"busy":\{"calls":3\}.*not everything in progress has ended/,
  );
});

test("while it quiesces a service is alive but not ready, and a second SIGTERM ends the wait", async (t) => {
  const service = run(t, "--trouble", "slow-quiesce", "--quiesce-seconds", "3600");
  const { management } = await ready(service);
  service.child.kill("SIGTERM");
  let status = 200;
  while (status === 200) status = (await fetch(`http://127.0.0.1:${management}/health/ready`)).status;
  assert.equal(status, 503);
  assert.equal((await fetch(`http://127.0.0.1:${management}/health/live`)).status, 200);
  service.child.kill("SIGTERM");
  assert.equal(await service.ended, 0);
});

test("SIGINT stops without quiescing", async (t) => {
  const service = run(t, "--trouble", "slow-quiesce", "--quiesce-seconds", "3600");
  await ready(service);
  service.child.kill("SIGINT");
  assert.equal(await service.ended, 0);
  assert.doesNotMatch(service.output(), /quiescing now/);
});

test("a service stops when its parent is gone", async (t) => {
  const service = run(t);
  await ready(service);
  const exited = once(service.child, "exit"); // a child disconnected by us never says "close"
  service.child.disconnect();
  assert.deepEqual(await exited, [0, null]);
});

for (const trouble of ["throw-later", "reject-later"]) {
  test(`${trouble}: what nobody caught is logged as fatal and ends the process with 1`, async (t) => {
    const service = run(t, "--trouble", trouble);
    assert.equal(await service.ended, 1);
    assert.match(service.output(), /"level":"fatal".*(thrown|rejected) later/);
  });
}

test("wrong options are one line each on standard error and exit code 2", async (t) => {
  const service = run(t, "--port", "70000");
  assert.equal(await service.ended, 2);
  assert.match(service.errors(), /^sample: --port "70000": [^\n]*\n$/);
  assert.equal(service.output(), "");
});

test("--help goes to standard output, exit code 0", async (t) => {
  const service = run(t, "--help");
  assert.equal(await service.ended, 0);
  assert.match(service.output(), /--port <integer>[\s\S]*--quiesce-seconds/);
});

test("a port in use is one line without a stack on standard error and exit code 1", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const service = run(t, "--port", String(port));
  assert.equal(await service.ended, 1);
  assert.equal(service.errors(), `sample: cannot start: 127.0.0.1:${port} is in use by another process\n`);
});

test("a secret option shows neither in the log nor in a message", async (t) => {
  const service = run(t, "--password", "TELLTALE");
  await ready(service);
  service.child.kill("SIGTERM");
  await service.ended;
  assert.ok(!`${service.output()}${service.errors()}`.includes("TELLTALE"));
});
