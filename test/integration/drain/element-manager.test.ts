import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { PROGRAM } from "../../support/program.ts";

const BONO = join(import.meta.dirname, "../../../nodes/bono/bin/bono.ts");

interface Bono {
  readonly pid: number;
  readonly management: string;
  readonly exited: Promise<number | null>;
}

async function startBono(t: TestContext): Promise<Bono> {
  const host = `127.${randomInt(121, 200)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const child = spawn(
    process.execPath,
    [BONO, "--host", host, "--management-port", "0", "--quiesce-seconds", "2"],
    {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const [{ ports }] = (await once(child, "message", { signal: AbortSignal.timeout(30_000) })) as [
    { ports: { management: number } },
  ];
  return { pid: child.pid ?? 0, management: `http://127.0.0.1:${ports.management}`, exited };
}

async function startEm(t: TestContext, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, "vnf", "em", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const [, origin] = /element manager on (\S+),/.exec(line) ?? [];
    if (origin !== undefined) return origin;
  }
  return assert.fail("the element manager ended");
}

test("SOL 002 clause 10: the element manager says CONTINUE when a bono that leaves has drained and ended, and the other one stays ready", async (t) => {
  const [staying, leaving] = [await startBono(t), await startBono(t)];
  const folder = mkdtempSync(join(tmpdir(), "em-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const members = join(folder, "members.yaml");
  const list = [staying, leaving].map(({ management }, at) => ({
    name: `bono-${at}`,
    pool: "bono",
    management,
  }));
  writeFileSync(members, JSON.stringify({ version: 1, members: list }));
  const origin = await startEm(t, ["--members", members, "--", "kill", "-TERM", String(leaving.pid)]);
  const ready = async (): Promise<unknown> =>
    ((await (await fetch(`${origin}/vnfind/v1/indicators/vnf/members_ready`)).json()) as { value: unknown })
      .value;
  assert.equal(await ready(), 1);
  const begun = await fetch(`${origin}/lcmcoord/v1/coordinations`, {
    method: "POST",
    body: JSON.stringify({
      vnfInstanceId: "vnf",
      vnfLcmOpOccId: "operation",
      lcmOperationType: "SCALE",
      coordinationActionName: "drain",
      inputParams: { pool: "bono", count: 1 },
    }),
  });
  assert.equal(begun.status, 202);
  const where = origin + (begun.headers.get("location") ?? "");
  let answer = await fetch(where);
  for (; answer.status === 202; answer = await fetch(where))
    await new Promise((resolve) => setTimeout(resolve, 100));
  const { coordinationResult, outputParams } = (await answer.json()) as Record<string, unknown>;
  assert.equal(coordinationResult, "CONTINUE", JSON.stringify(outputParams));
  assert.equal(await leaving.exited, 0);
  assert.equal((await fetch(`${staying.management}/health/ready`)).status, 200);
  assert.equal(await ready(), 0.5);
});
