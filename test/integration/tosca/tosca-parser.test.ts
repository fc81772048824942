import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { PROFILES, writeZip } from "../../../vnf/src/index.ts";
import { toscaFiles } from "../../packaging/tosca-files.ts";

const PYTHON = join(import.meta.dirname, "../../../.cache/tosca-parser/bin/python");
const MISSING = "no tosca-parser here: sh scripts/install-tosca-parser";
const FLAVOUR = /_df_[^/]+\.yaml$/;
const PROGRAM = `
import json, sys
from toscaparser.prereq.csar import CSAR
from toscaparser.tosca_template import ToscaTemplate
archive = CSAR(sys.argv[1])
archive.validate()
template = ToscaTemplate(sys.argv[1])
print(json.dumps({
  "description": archive.get_description(),
  "flavours": sorted(len(nested.nodetemplates) for nested in template.nested_tosca_templates_with_topology),
}))
`;

/** What OpenStack's parser makes of a package; a refusal is thrown with its words. */
async function parse(
  t: TestContext,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<{ flavours: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), "tosca-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "package.zip");
  writeFileSync(path, writeZip(files));
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", PROGRAM, path], { cwd: folder });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { flavours: number[] };
}

function isHere(t: TestContext): boolean {
  if (existsSync(PYTHON)) return true;
  if (process.env["CI"] === "true") assert.fail(MISSING);
  t.skip(MISSING);
  return false;
}

for (const profile of PROFILES)
  test(`OpenStack's tosca-parser accepts the package for ${profile}, as an archive, with all its flavours`, async (t) => {
    if (!isHere(t)) return;
    const files = toscaFiles(profile);
    const { flavours } = await parse(t, files);
    assert.equal([...files.keys()].filter((path) => FLAVOUR.test(path)).length, flavours.length);
    assert.equal(flavours.length, 4);
    assert.ok(
      flavours.every((nodes) => nodes > 10),
      JSON.stringify(flavours),
    );
  });

test("the same parser refuses a package whose descriptor has a property of no type", async (t) => {
  if (!isHere(t)) return;
  const files = toscaFiles("sol001-2.6.1", ["lab"]);
  const path = "Definitions/tidewater_df_lab.yaml";
  const text = Buffer.from(files.get(path) ?? "").toString("utf8");
  files.set(path, Buffer.from(text.replace("vnic_type: normal", "vnic: normal")));
  await assert.rejects(parse(t, files), /vnic/);
});
