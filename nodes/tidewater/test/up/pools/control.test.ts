import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  askControl,
  type ControlRequest,
  controlSocketOf,
  openControl,
} from "../../../src/up/pools/control.ts";

function stateDir(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "control-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("requests are answered with progress and an end, or with why not", async (t) => {
  const folder = stateDir(t);
  const seen: ControlRequest[] = [];
  const control = await openControl(folder, async (request, progress) => {
    seen.push(request);
    if (request.command === "scale") throw new Error("not now");
    progress("half");
    return { all: 1 };
  });
  t.after(() => control.close());
  const lines: string[] = [];
  const request: ControlRequest = { command: "restart", names: ["bono"] };
  assert.deepEqual(await askControl(folder, request, (line) => lines.push(line)), { all: 1 });
  assert.deepEqual(lines, ["half"]);
  assert.deepEqual(seen, [request]);
  await assert.rejects(
    askControl(folder, { command: "scale", pools: "x" }, () => {}),
    /^Error: not now$/,
  );
});

test("rubbish is refused, and what never ends is cut off", async (t) => {
  const folder = stateDir(t);
  const control = await openControl(folder, async () => assert.fail("handled"));
  t.after(() => control.close());
  const answerTo = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = "";
      const socket = connect(controlSocketOf(folder), () => socket.write(text));
      socket.on("data", (data) => {
        answer += data.toString();
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(answer));
    });
  for (const text of ["\n", "{}\n", '{"command":"__proto__"}\n', '{"command":"restart","names":[]}\n'])
    assert.equal(await answerTo(text), '{"refused":"that is no request"}\n');
  assert.equal(await answerTo("x".repeat(200_000)), "");
});

test("one up a state directory: a second one is told who the first is, a socket left behind is replaced", async (t) => {
  const folder = stateDir(t);
  await assert.rejects(
    askControl(folder, { command: "status" }, () => {}),
    /no tidewater up --pools is running/,
  );
  writeFileSync(controlSocketOf(folder), "left behind");
  const control = await openControl(folder, async () => null);
  await assert.rejects(
    openControl(folder, async () => null),
    new RegExp(`another tidewater up is running with it \\(pid ${process.pid}\\)`),
  );
  control.close();
  await assert.rejects(
    openControl(join(folder, "x".repeat(120)), async () => null),
    /too long a path/,
  );
});
