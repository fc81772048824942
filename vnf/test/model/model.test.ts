import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MODEL_FILES, MODEL_FOLDER, type ModelFile, modelOf, readModel } from "../../src/model/model.ts";
import { formatFault } from "../../src/model/yaml-file.ts";

/** Faults of the project's own model with one text replaced. */
function faultsWith(file: ModelFile, from: string | RegExp, to: string): string[] {
  const texts = new Map(MODEL_FILES.map((name) => [name, readFileSync(join(MODEL_FOLDER, name), "utf8")]));
  const before = texts.get(file) ?? "";
  const after = before.replace(from, to);
  assert.notEqual(after, before, `${file} has ${String(from)}`);
  texts.set(file, after);
  const read = modelOf(texts);
  return read.kind === "bad" ? read.faults.map(formatFault) : [];
}

test("the model that comes with the project is valid", () => {
  const read = readModel();
  assert.deepEqual(read.kind === "bad" ? read.faults.map(formatFault) : [], []);
});

test("a file that is not there is told by its name", () => {
  const read = readModel(join(MODEL_FOLDER, "none"));
  assert.equal(read.kind, "bad");
  assert.match(
    read.kind === "bad" ? formatFault(read.faults[0] ?? assert.fail()) : "",
    /none\/vdus\.yaml: there is no such file/,
  );
});

const seeded: readonly [string, ModelFile, string | RegExp, string, RegExp][] = [
  ["no YAML", "vdus.yaml", "vdus:", "vdus: [", /^vdus\.yaml:\d+: /],
  ["an empty file", "zones.yaml", /[\s\S]*/, "", /^zones\.yaml: /],
  [
    "a key twice",
    "vdus.yaml",
    "    zone: dmz",
    "    zone: dmz\n    zone: core",
    /^vdus\.yaml:9: .*duplicate/i,
  ],
  ["an anchor used", "vdus.yaml", "zone: dmz", "zone: &z dmz\n    purpose2: *z", /^vdus\.yaml:9: .*alias/i],
  [
    "an unknown key",
    "vdus.yaml",
    "    zone: dmz",
    "    zone: dmz\n    colour: red",
    /^vdus\.yaml:5: vdus\[0\]: .*colour/,
  ],
  [
    "__proto__ as a key",
    "vdus.yaml",
    "    zone: dmz",
    "    zone: dmz\n    __proto__: {}",
    /^vdus\.yaml:5: vdus\[0\]: .*__proto__/,
  ],
  ["a text for a number", "vdus.yaml", "max: 64", "max: many", /^vdus\.yaml:11: vdus\[0\]\.pool\.max: /],
  ["something missing", "vdus.yaml", "    zone: dmz\n", "", /^vdus\.yaml:5: vdus\[0\]\.zone: /],
  ["another version", "ports.yaml", "version: 1", "version: 2", /^ports\.yaml:4: version: /],
  [
    "a share of nothing",
    "vdus.yaml",
    "share: 1/4",
    "share: 0/4",
    /^vdus\.yaml:12: vdus\[0\]\.tolerated\.share: share "0\/4": /,
  ],
  [
    "a share the pool cannot keep",
    "vdus.yaml",
    "default: 7",
    "default: 3",
    /vdus\[0\]\.pool\.default: a share of 1\/4 needs a pool of 4, not 3$/,
  ],
  ["sizes out of order", "vdus.yaml", "max: 64", "max: 6", /vdus\[0\]\.pool\.max: 6 is below default, 7$/],
  [
    "an unknown zone",
    "vdus.yaml",
    "zone: dmz",
    "zone: moon",
    /vdus\[0\]\.zone.*there is no zone moon: dmz, core$/,
  ],
  [
    "a network of another zone",
    "vdus.yaml",
    "networks: [mw, core",
    "networks: [access, core",
    /zone core has no network access$/,
  ],
  ["a VDU twice", "vdus.yaml", "name: homestead", "name: sprout", /vdus\[2\]\.name: sprout is here twice$/],
  [
    "a port number out of range",
    "ports.yaml",
    "port: 5060",
    "port: 70000",
    /^ports\.yaml:10: ports\[0\]\.port: /,
  ],
  [
    "a number twice on a machine",
    "ports.yaml",
    "port: 5061",
    "port: 5060",
    /ports\[1\]\.port: 5060\/tcp is bono\/sip on the same machine$/,
  ],
  [
    "a number in a range of the same machine",
    "ports.yaml",
    "port: 49152",
    "port: 3000",
    /port: 3000\/udp is bono\/sip on the same machine$/,
  ],
  [
    "a range that ends before it begins",
    "ports.yaml",
    "last: 65535",
    "last: 443",
    /last: 443 is before 49152$/,
  ],
  [
    "a process no VDU runs",
    "ports.yaml",
    /process: ellis,\n {6}name: https,/,
    "process: portal,\n      name: https,",
    /ports\[\d+\]\.process: no VDU runs portal: add it to vdus\.yaml, or say reserved: true$/,
  ],
  [
    "a reserved port open to somebody",
    "ports.yaml",
    /from: \[\],(\s+purpose: "Mi)/,
    "from: [bono],$1",
    /a reserved port is open to nobody/,
  ],
  [
    "an unknown peer",
    "ports.yaml",
    /from: \[sprout\],(\s+purpose: "Cx: Diameter",)/,
    "from: [sprouts],$1",
    /from\[0\]: sprouts is neither a process of a VDU nor a party/,
  ],
  [
    "a peer on another network",
    "ports.yaml",
    /network: access,(\s+from: \[ue\],\s+purpose: "Gm: SIP",)/,
    "network: core,$1",
    /ue is not on network core$/,
  ],
  [
    "the DMZ reaches the network of the HSS",
    "ports.yaml",
    /from: \[sprout\],(\s+purpose: "Cx: Diameter",)/,
    "from: [sprout, bono],$1",
    /from\[1\]: bono is not on network core$/,
  ],
  [
    "the DMZ reaches a port of sprout that is not its business",
    "ports.yaml",
    /from: \[\],(\s+purpose: "ISC: MMTEL AS",\s+)reserved: true,/,
    "from: [bono],$1",
    /from\[0\]: bono is in zone dmz, which may not reach sprout\/mmtel \(zones\.yaml, reaches\)$/,
  ],
  [
    "the border names a port that is not",
    "zones.yaml",
    "[icscf, scscf, ecscf]",
    "[icscf, bgcg]",
    /zones\[0\]\.reaches\[0\]\.ports\[1\]: there is no port of sprout bgcg/,
  ],
  [
    "a party on an unknown network",
    "networks.yaml",
    "networks: [access] }",
    "networks: [axess] }",
    /outside\[0\]\.networks\[0\]: there is no network axess/,
  ],
];

for (const [what, file, from, to, expected] of seeded)
  test(`${what} is refused with file, line and place`, () => {
    const faults = faultsWith(file, from, to);
    assert.ok(
      faults.some((fault) => expected.test(fault)),
      `${expected}\n${faults.join("\n") || "no fault"}`,
    );
    assert.ok(
      faults.every((fault) => fault.startsWith(`${file}:`) || !file.startsWith("ports")),
      faults.join("\n"),
    );
  });
