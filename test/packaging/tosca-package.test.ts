import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { load } from "js-yaml";
import {
  formatPackageFault,
  MANIFEST_FILE,
  META_FILE,
  PROFILES,
  pemOf,
  readPackage,
  readZip,
  signPackage,
  splitSignature,
  validatePackage,
  wrapPackage,
  writeZip,
} from "../../vnf/src/index.ts";
import { toscaFiles } from "./tosca-files.ts";

const LAB = () => toscaFiles("sol001-4", ["lab"]);

interface Keys {
  readonly folder: string;
  readonly keyFile: string;
  readonly certificateFile: string;
}

function keys(t: TestContext, name = "signer"): Keys {
  const folder = mkdtempSync(join(tmpdir(), "csar-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", `/CN=${name}`, "-days", "2", "-keyout", keyFile, "-out", certificateFile];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject], { stdio: "ignore" });
  return { folder, keyFile, certificateFile };
}

async function signed(
  t: TestContext,
  unsigned: ReadonlyMap<string, Uint8Array> = LAB(),
): Promise<{ keys: Keys; files: Map<string, Uint8Array> }> {
  const pair = keys(t);
  const result = await signPackage(unsigned, MANIFEST_FILE, pair);
  assert.ok(result.kind === "signed", JSON.stringify(result));
  return { keys: pair, files: result.files };
}

/** openssl's own word on the signature in a manifest. */
function opensslVerifies(folder: string, manifest: string, trust: string): boolean {
  const { signed: content, cms = "" } = splitSignature(manifest);
  const [cmsFile, contentFile] = [join(folder, "cms.pem"), join(folder, "content")];
  writeFileSync(cmsFile, pemOf(cms));
  writeFileSync(contentFile, content);
  const args = ["cms", "-verify", "-binary", "-inform", "PEM", "-in", cmsFile, "-content", contentFile];
  try {
    execFileSync("openssl", [...args, "-CAfile", trust, "-purpose", "any", "-out", "/dev/null"], {
      stdio: "pipe",
    });
    return true;
  } catch {
    return false;
  }
}

for (const profile of PROFILES)
  test(`${profile}: two builds are the same bytes, and what is unpacked is what was packed`, async () => {
    const [one, two] = [writeZip(toscaFiles(profile)), writeZip(toscaFiles(profile))];
    assert.ok(one.equals(two));
    const read = readZip(one);
    assert.ok(read.kind === "files");
    assert.deepEqual(read.files, new Map([...toscaFiles(profile)].sort(([a], [b]) => (a < b ? -1 : 1))));
    const check = await validatePackage({ files: read.files });
    assert.deepEqual(check.faults.map(formatPackageFault), []);
    assert.equal(check.signature, "none");
  });

test("a signed package is trusted by who trusts the signer, openssl agrees, and signing again gives the same bytes (SOL 004 clause 5.1)", async (t) => {
  const { keys: pair, files } = await signed(t);
  const check = await validatePackage({ files, trustFile: pair.certificateFile, signed: true });
  assert.deepEqual(check.faults.map(formatPackageFault), []);
  assert.equal(check.signature, "trusted");
  const manifest = Buffer.from(files.get(MANIFEST_FILE) ?? "").toString("utf8");
  assert.ok(opensslVerifies(pair.folder, manifest, pair.certificateFile));
  assert.ok(
    !opensslVerifies(
      pair.folder,
      manifest.replace("vnf_provider_id: Tidewater", "vnf_provider_id: Tidewatar"),
      pair.certificateFile,
    ),
  );
  const again = await signPackage(files, MANIFEST_FILE, pair);
  assert.ok(again.kind === "signed" && writeZip(again.files).equals(writeZip(files)));
  const other = keys(t, "another");
  const stranger = await validatePackage({ files, trustFile: other.certificateFile });
  assert.equal(stranger.signature, "bad");
  assert.match(
    stranger.faults.map(formatPackageFault).join("\n"),
    /the signature does not hold: .*verify error/i,
  );
});

test("the signed manifest of the package for Tacker can be taken apart at empty lines, the signature being a part of its own", async (t) => {
  const { files } = await signed(t, toscaFiles("sol001-2.6.1", ["lab"]));
  const parts = Buffer.from(files.get(MANIFEST_FILE) ?? "")
    .toString("utf8")
    .split(/\n\n+/);
  assert.match(parts.at(-1) ?? "", /^-----BEGIN CMS-----\n[^-]+\n-----END CMS-----\n$/);
  for (const part of parts) load(part);
});

test("one changed byte, in any kind of file, is refused and told", async (t) => {
  const { files } = await signed(t);
  for (const path of [...files.keys()].filter((_, at) => at % 5 === 0 || at === files.size - 1)) {
    const bytes = Buffer.from(files.get(path) ?? "");
    if (bytes.length === 0) continue;
    const at = Math.floor(bytes.length / 3);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { faults } = await validatePackage({ files: new Map([...files, [path, bytes]]) });
    assert.ok(faults.length > 0, path);
    if (path !== MANIFEST_FILE && path !== META_FILE)
      assert.ok(
        faults.some(({ problem, at: where }) => where === path && /was changed/.test(problem)),
        path,
      );
  }
});

const MANIFEST_SEEDS: readonly [string, (files: Map<string, Uint8Array>) => void, RegExp][] = [
  ["no metadata file", (files) => files.delete(META_FILE), /TOSCA\.meta: there is no such file/],
  [
    "a file nobody vouched for",
    (files) => files.set("Files/extra.sh", Buffer.from("#")),
    /extra\.sh: is in the package, but not in the manifest/,
  ],
  [
    "a file that is gone",
    (files) => files.delete("Files/ChangeLog.txt"),
    /there is no (?:such file|Files\/ChangeLog)/,
  ],
  ["no manifest", (files) => files.delete(MANIFEST_FILE), /ETSI-Entry-Manifest: there is no tidewater\.mf/],
  [
    "an entry twice",
    (files) => edit(files, META_FILE, "CSAR-Version: 1.1", "CSAR-Version: 1.1\nCSAR-Version: 1.1"),
    /TOSCA\.meta:3: CSAR-Version: stands twice/,
  ],
  [
    "a top file that is not there",
    (files) => edit(files, META_FILE, "tidewater_vnfd.yaml", "other.yaml"),
    /TOSCA\.meta:4: Entry-Definitions: there is no/,
  ],
  [
    "no identifier",
    (files) => edit(files, MANIFEST_FILE, /.*vnfd_id.*\n/, ""),
    /metadata\.vnfd_id: is missing/,
  ],
  [
    "another identifier",
    (files) => edit(files, MANIFEST_FILE, /vnfd_id: \w/, "vnfd_id: x"),
    /tidewater\.mf:2: vnfd_id: .*differs from descriptor_id/,
  ],
  ["no date", (files) => edit(files, MANIFEST_FILE, "2026-11-21T", "21.11.2026 "), /is no date and time/],
  [
    "an unknown digest",
    (files) => edit(files, MANIFEST_FILE, "Algorithm: SHA-256", "Algorithm: MD5"),
    /algorithm "MD5" is not known/,
  ],
  [
    "a line that means nothing",
    (files) => edit(files, MANIFEST_FILE, "Source: ", "Sauce: "),
    /is no line of a manifest/,
  ],
];

function edit(files: Map<string, Uint8Array>, path: string, from: string | RegExp, to: string): void {
  const text = Buffer.from(files.get(path) ?? "").toString("utf8");
  assert.notEqual(text.replace(from, to), text, "the seed did not take");
  files.set(path, Buffer.from(text.replace(from, to)));
}

for (const [what, seed, says] of MANIFEST_SEEDS)
  test(`a package with ${what} is refused, with file and remedy`, async () => {
    const files = LAB();
    seed(files);
    const { faults } = await validatePackage({ files });
    assert.match(faults.map(formatPackageFault).join("\n"), says);
  });

test("a package that is signed as a whole holds its CSAR, signature and certificate; a changed one is refused (SOL 004 clause 5.2)", async (t) => {
  const pair = keys(t);
  const wrapped = await wrapPackage(writeZip(LAB()), "ims", readFileSync(pair.certificateFile), pair);
  assert.ok(wrapped.kind === "signed");
  assert.deepEqual([...wrapped.files.keys()], ["ims.csar", "ims.cms", "ims.cert"]);
  const path = join(pair.folder, "ims.zip");
  writeFileSync(path, writeZip(wrapped.files));
  const read = await readPackage(path, pair.certificateFile);
  assert.ok(read.kind === "package" && read.outer === "trusted", JSON.stringify(read));
  const csar = Buffer.from(wrapped.files.get("ims.csar") ?? "");
  csar[100] = (csar[100] ?? 0) ^ 1;
  writeFileSync(path, writeZip(new Map([...wrapped.files, ["ims.csar", csar]])));
  const broken = await readPackage(path, pair.certificateFile);
  assert.ok(broken.kind === "bad" && /does not hold/.test(broken.problem), JSON.stringify(broken));
});

test("key and certificate that do not belong together, or are none, are told, and nothing is signed", async (t) => {
  const pair = keys(t);
  const other = keys(t);
  const mixed = await signPackage(LAB(), MANIFEST_FILE, { ...pair, keyFile: other.keyFile });
  assert.ok(mixed.kind === "failed" && mixed.remedy.length > 0);
  const none = await signPackage(LAB(), MANIFEST_FILE, { ...pair, keyFile: join(pair.folder, "none.pem") });
  assert.ok(none.kind === "failed" && /none\.pem|No such file/.test(none.problem), JSON.stringify(none));
});
