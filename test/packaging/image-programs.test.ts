import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { type Bundle, bundlePrograms, npmPackage, PAGES, PROGRAMS } from "../../images/build/bundles.ts";
import { spdx } from "../../images/build/sbom.ts";

const ROOT = join(import.meta.dirname, "../..");
const ADDON = `native/build/datagrams-${process.arch}.node`;

let folder = "";
let bundles: Bundle[] = [];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "bundles-"));
  bundles = await bundlePrograms(ROOT, folder);
  mkdirSync(join(folder, "native/build"), { recursive: true });
  cpSync(join(ROOT, PAGES.from), join(folder, PAGES.to), { recursive: true });
});
after(() => rmSync(folder, { recursive: true, force: true }));

function start(program: string, args: readonly string[]): ChildProcess {
  const file = PROGRAMS.find(({ name }) => name === program)?.file ?? "";
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(folder, file), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: {},
  });
}

/** The ports of its line "ready". */
function readyPorts(child: ChildProcess): Promise<Readonly<Record<string, number>>> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`ended with ${code} before it was ready`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { msg, ports } = JSON.parse(line) as { msg: string; ports?: Record<string, number> };
      if (msg === "ready" && ports !== undefined) resolve(ports);
    });
  });
}

const any = (...ports: readonly string[]): string[] => ports.flatMap((name) => [`--${name}-port`, "0"]);
const ARGUMENTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["bono", any("sip", "ws", "core", "management")],
  ["sprout", any("icscf", "scscf", "management")],
  ["homestead", any("diameter", "provisioning", "management")],
  ["ralf", [...any("management"), "--port", "0"]],
  ["homer", any("ut", "core", "management")],
  ["ellis", [...any("management"), "--port", "0"]],
]);

test("homestead, ralf, sprout and bono, each one file with nothing beside it, answer /health/ready", async (t) => {
  const running = async (
    name: string,
    more: readonly string[],
  ): Promise<Readonly<Record<string, number>>> => {
    const child = start(name, [...(ARGUMENTS.get(name) ?? []), ...more]);
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    t.after(async () => {
      child.kill("SIGINT");
      await ended;
    });
    return await readyPorts(child);
  };
  const isReady = async (name: string, port: number | undefined): Promise<string> => {
    const url = `http://127.0.0.1:${port}/health/ready`;
    let said = "";
    // Cx of sprout comes up after it has said that it is ready.
    for (let tries = 0; tries < 100; tries++) {
      const response = await fetch(url);
      said = await response.text();
      if (response.ok) return said;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return assert.fail(`${name}: ${said}`);
  };
  const homestead = await running("homestead", ["--state-dir", join(folder, "state")]);
  await isReady("homestead", homestead["management"]);
  const ralf = await running("ralf", [
    "--state-dir",
    join(folder, "charging"),
    "--cdr-dir",
    join(folder, "cdr"),
  ]);
  await isReady("ralf", ralf["management"]);
  const sprout = await running("sprout", [
    ...["--hss-peer", `127.0.0.1:${homestead["diameter"]}`],
    ...["--analytics-kafka", "127.0.0.1:1"],
  ]);
  // A client that cannot be loaded from the bundle would be told here.
  assert.doesNotMatch(await isReady("sprout", sprout["management"]), /Kafka/);
  const homer = await running("homer", [
    ...["--state-dir", join(folder, "documents")],
    ...["--homestead", `http://127.0.0.1:${homestead["provisioning"]}`],
  ]);
  await isReady("homer", homer["management"]);
  const ellis = await running("ellis", [
    ...["--state-dir", join(folder, "accounts")],
    ...["--homestead", `http://127.0.0.1:${homestead["provisioning"]}`],
  ]);
  await isReady("ellis", ellis["management"]);
  const page = await fetch(`http://127.0.0.1:${ellis["http"]}/staff`);
  assert.deepEqual([page.status, (await page.text()).includes("<html")], [200, true]);
  const bono = await running("bono", ["--icscf-uri", `sip:127.0.0.1:${sprout["icscf-tcp"]};transport=tcp`]);
  await isReady("bono", bono["management"]);
});

test("a bundle takes the UDP add-on from where the image has it", (t) => {
  const addon = join(ROOT, "nodes/common/sip", ADDON);
  if (!existsSync(addon)) return t.skip("the add-on is not compiled: no C compiler");
  copyFileSync(addon, join(folder, ADDON));
  const code = `process.argv[1] = "";
    const loaded = []; const before = process.dlopen; process.dlopen = (...a) => { loaded.push(a[1]); return before.apply(process, a); };
    process.argv = [process.execPath, "bono", ...${JSON.stringify(ARGUMENTS.get("bono"))}];
    const until = Date.now() + 60_000;
    setInterval(() => {
      if (loaded.length === 0 && Date.now() < until) return;
      console.log("LOADED " + JSON.stringify(loaded));
      process.exit(0);
    }, 50);
    await import(${JSON.stringify(join(folder, "nodes/bono/bono.mjs"))});`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: folder,
    encoding: "utf8",
    env: {},
  });
  assert.match(child.stdout, new RegExp(`LOADED \\["${join(folder, ADDON)}"\\]`), child.stderr);
});

test("the same sources give the same bundles, byte for byte, wherever they are written", async (t) => {
  const other = mkdtempSync(join(tmpdir(), "bundles-again-"));
  t.after(() => rmSync(other, { recursive: true }));
  await bundlePrograms(ROOT, other);
  for (const { file } of bundles)
    assert.ok(readFileSync(join(folder, file)).equals(readFileSync(join(other, file))), file);
});

test("no bundle names a path of the machine that made it", () => {
  for (const { file } of bundles) assert.ok(!readFileSync(join(folder, file), "utf8").includes(ROOT), file);
});

test("every npm package in a bundle has a licence that may go with the product, and a digest in the lock file", () => {
  const packages = [...new Set(bundles.flatMap((bundle) => bundle.packages))].map((one) =>
    npmPackage(ROOT, one),
  );
  assert.ok(packages.length > 10);
  for (const { name, licence, integrity } of packages) {
    assert.match(licence, /^(?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD)$/, name);
    assert.match(integrity ?? "", /^sha512-/, name);
  }
});

test("the SBOM (SPDX 2.3) names every package once, with what it depends on and a digest of each of our files", () => {
  const npm = [...new Set(bundles.flatMap((bundle) => bundle.packages))].map((one) => npmPackage(ROOT, one));
  const debian = [
    {
      name: "libstdc++6",
      version: "12.2.0-14",
      architecture: "amd64",
      source: "gcc-12",
      sourceVersion: "12.2.0-14",
    },
  ];
  const files = bundles.map(({ file }) => ({
    place: `/usr/lib/tidewater/${file}`,
    path: join(folder, file),
  }));
  const request = { name: "tidewater", version: "1", epoch: 1_700_000_000, suite: "bookworm", jars: [] };
  const text = spdx({ ...request, debian, npm, files });
  assert.equal(spdx({ ...request, debian, npm, files }), text, "the same every time");
  const document = JSON.parse(text) as {
    creationInfo: { created: string };
    packages: { SPDXID: string; externalRefs?: { referenceLocator: string }[] }[];
    files: { SPDXID: string; checksums: { algorithm: string; checksumValue: string }[] }[];
    relationships: { relatedSpdxElement: string }[];
  };
  assert.equal(document.creationInfo.created, "2023-11-14T22:13:20Z");
  const ids = [...document.packages, ...document.files].map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length, "every SPDXID once");
  for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
  const related = new Set(document.relationships.map((one) => one.relatedSpdxElement));
  assert.deepEqual(
    ids.filter((id) => !related.has(id)),
    [],
  );
  const locators = document.packages.flatMap(({ externalRefs = [] }) =>
    externalRefs.map((one) => one.referenceLocator),
  );
  assert.ok(locators.includes("pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=bookworm"));
  assert.ok(locators.some((one) => one.startsWith("pkg:npm/pino@")));
  assert.equal(document.files.length, PROGRAMS.length);
});
