import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import { type LoadedServer, loadApplicationServer, type ServerHost } from "../src/index.ts";

let files = 0;

/** Loads a module with that text, in a folder outside the project. */
function load(t: TestContext, text: string, ending = "mjs", timeoutMs = 5_000): Promise<LoadedServer> {
  const folder = mkdtempSync(join(tmpdir(), "application-server-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, `server${files++}.${ending}`);
  writeFileSync(file, text);
  const hostOf = (name: string): ServerHost => {
    if (name === "mmtel") throw new Error("the name mmtel is that of another server");
    return { name } as ServerHost;
  };
  return loadApplicationServer({ file, timeoutMs }, { clock: systemClock(), hostOf });
}

const GOOD = "{ interfaceVersion: 1, name: 'good', create: () => ({ onInitialRequest() {} }) }";

test("a module outside the project is loaded, in JavaScript or in TypeScript, also one that is made later", async (t) => {
  assert.equal((await load(t, `export default ${GOOD}`)).name, "good");
  assert.equal((await load(t, `const made: object = ${GOOD};\nexport default made;`, "ts")).name, "good");
  const later =
    "export default { interfaceVersion: 1, name: 'later', create: async (host) => ({ onInitialRequest() {}, host }) }";
  const { server, host } = await load(t, later);
  assert.equal((server as { host?: unknown }).host, host);
});

test("a module that will not do is refused with its path and what is wrong with it", async (t) => {
  const create = "create: () => ({ onInitialRequest() {} })";
  for (const [text, problem] of [
    ["export const x = 1", /exports no application server by default/],
    ["export default null", /exports no application server by default/],
    [`export default { interfaceVersion: 2, name: 'x', ${create} }`, /version 2 of the interface, this is 1/],
    [`export default { name: 'x', ${create} }`, /version undefined/],
    [`export default { interfaceVersion: 1, name: 'No Name', ${create} }`, /its name has to be/],
    [`export default { interfaceVersion: 1, name: '-', ${create} }`, /its name has to be/],
    ["export default { interfaceVersion: 1, name: 'x' }", /has no create\(\)/],
    [
      `export default { interfaceVersion: 1, name: 'mmtel', ${create} }`,
      /the name mmtel is that of another server/,
    ],
    ["export default { interfaceVersion: 1, name: 'x', create: () => ({}) }", /has no onInitialRequest\(\)/],
    [
      "export default { interfaceVersion: 1, name: 'x', create: () => undefined }",
      /has no onInitialRequest\(\)/,
    ],
    [
      "export default { interfaceVersion: 1, name: 'x', create() { throw new Error('settings.limit has to be a number') } }",
      /x cannot be made: settings\.limit has to be a number/,
    ],
    ["export default {", /cannot be imported: /],
    ["throw new Error('at import')", /cannot be imported: at import/],
    ["import 'no-such-package-at-all'", /cannot be imported: .*no-such-package-at-all/],
  ] as const)
    await assert.rejects(load(t, text), (error: Error) => {
      assert.match(error.message, problem, text);
      assert.match(error.message, /server\d+\.mjs/);
      return true;
    });
  const options = { file: "/nowhere/server.mjs", timeoutMs: 100 };
  const modules = { clock: systemClock(), hostOf: (name: string) => ({ name }) as ServerHost };
  await assert.rejects(loadApplicationServer(options, modules), /nowhere\/server\.mjs problem=is no file/);
});

test("a module that never comes to an end, or never makes its server, does not keep the start waiting for ever", async (t) => {
  await assert.rejects(
    load(t, "await new Promise(() => setTimeout(() => {}, 1))", "mjs", 50),
    /not within 50 ms/,
  );
  const never = "export default { interfaceVersion: 1, name: 'x', create: () => new Promise(() => {}) }";
  await assert.rejects(load(t, never, "mjs", 50), /x cannot be made: not within 50 ms/);
});
