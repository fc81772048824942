import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { nodeProcesses } from "../../src/up/node-process.ts";
import type { NodeCommand } from "../../src/up/nodes.ts";

const commands: readonly NodeCommand[] = [
  { name: "homestead", args: ["--h"] },
  { name: "sprout", args: ["--s"], env: { S: "1" } },
  { name: "bono", args: ["--b"], env: { B: "2" } },
];

test("every node has a process of its own", () => {
  assert.deepEqual(
    nodeProcesses(commands, false).map(({ name, nodes, args, env }) => ({ name, nodes, args, env })),
    commands.map(({ name, args, env }) => ({ name, nodes: [name], args, env })),
  );
});

test("bono and sprout share one unless they are to be separate; the secrets of subscribers stay in homestead's", () => {
  const [homestead, both, ...others] = nodeProcesses(commands, true);
  assert.deepEqual(homestead?.nodes, ["homestead"]);
  assert.deepEqual(both?.nodes, ["sprout", "bono"]);
  assert.deepEqual(both?.args, ["sprout", "--s", "--", "bono", "--b"]);
  assert.deepEqual(both?.env, { S: "1", B: "2" });
  assert.deepEqual(others, []);
});

test("every program is there", () => {
  for (const oneProcess of [false, true])
    for (const { program } of nodeProcesses(commands, oneProcess)) assert.ok(existsSync(program), program);
});
