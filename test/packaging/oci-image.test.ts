import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeContainers } from "../../images/oci/containers.ts";
import { ImageLayout } from "../../images/oci/layout.ts";
import { CONTAINER_ROLES } from "../../images/oci/roles.ts";
import { type TarEntry, tarOf } from "../../images/oci/tar.ts";
import { readModel } from "../../vnf/src/index.ts";
import { engineHelpersOf } from "../support/engine-helpers.ts";
import { configOf, copyImage, digestOf, noOciTools, runImage, unpackImage } from "../support/oci-image.ts";

const ROOT = join(import.meta.dirname, "../..");
const EPOCH = 1_790_000_000;
const [bono, ellis] = ["bono", "ellis"].map((wanted) =>
  CONTAINER_ROLES.filter(({ name }) => name === wanted),
);
const roles = [...(bono ?? []), ...(ellis ?? [])];

const reading = readModel();
assert.ok(reading.kind === "model");
const TABLE: readonly Port[] = reading.model.ports;

interface Port {
  readonly process: string;
  readonly port: number;
  readonly protocols: readonly string[];
}

const EXECUTION = {
  ...{
    user: "802:800",
    entrypoint: ["/tide"],
    workingDirectory: "/",
    environment: [],
    exposed: [],
    volumes: [],
  },
  labels: {},
};

let folder = "";
let base = "";
const layout = (): string => join(folder, "oci");
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "oci-layout-"));
  base = join(folder, "base.tar");
  // In the place of Debian: the libraries that Node is linked with, from this machine. npm run test:oci takes Debian.
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  const entries = [...libraries].map(
    ([, path = ""]): TarEntry => ({
      path: path.slice(1),
      content: { file: path },
      mode: 0o755,
    }),
  );
  assert.ok(entries.length > 3);
  writeFileSync(
    base,
    Buffer.concat([...tarOf([...entries, { path: "tmp", content: { folder: true }, mode: 0o1777 }], EPOCH)]),
  );
  await writeContainers(request(), layout(), join(folder, "work"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function request() {
  return { root: ROOT, version: "0.1.0", epoch: EPOCH, base, debian: [], roles };
}

test("a tar of ours is one that GNU tar reads: names of any length, owners, modes, one time, nothing else", () => {
  const long = `${"a-folder-of-a-long-name/".repeat(6)}${"x".repeat(90)}`;
  const text = Buffer.from("tide\n");
  const tar = Buffer.concat([
    ...tarOf(
      [
        { path: long, content: { bytes: text } },
        { path: "state", content: { folder: true }, mode: 0o750, uid: 802, gid: 800 },
      ],
      EPOCH,
    ),
  ]);
  const told = spawnSync(
    "tar",
    ["--list", "--verbose", "--numeric-owner", "--full-time", "--utc", "--file", "-"],
    {
      input: tar,
      encoding: "utf8",
    },
  );
  assert.equal(told.stderr, "");
  const lines = told.stdout.trim().split("\n");
  assert.equal(lines.length, 8);
  assert.match(told.stdout, new RegExp(`^-rw-r--r-- 0/0 +5 2026-09-21 .* ${long}$`, "m"));
  assert.match(told.stdout, /^drwxr-x--- 802\/800 +0 2026-09-21 .* state\/$/m);
  const read = spawnSync("tar", ["--extract", "--to-stdout", "--file", "-", long], { input: tar });
  assert.deepEqual(read.stdout, text);
  assert.throws(
    () => [...tarOf([{ path: "y".repeat(101), content: { bytes: text } }], 0)],
    /too long for a tar/,
  );
});

test("OCI image specification: skopeo reads each role's image and copies it blob by blob; it runs as a user of its own, with the ports of the table", {
  skip: noOciTools,
}, () => {
  const users = new Set<string>();
  for (const { name, uid } of roles) {
    const { os, architecture, created, config, rootfs } = configOf(layout(), name);
    assert.deepEqual([os, architecture, Date.parse(created)], ["linux", "amd64", EPOCH * 1000]);
    assert.equal(config.User, `${uid}:800`);
    users.add(config.User);
    assert.equal(rootfs.diff_ids.length, 3);
    assert.deepEqual(Object.keys(config.Volumes), [`/var/lib/tidewater/${name}`]);
    const ports = TABLE.filter(({ process }) => process === name);
    const wanted = ports.flatMap(({ port, protocols }) => protocols.map((protocol) => `${port}/${protocol}`));
    assert.deepEqual(Object.keys(config.ExposedPorts).sort(), wanted.sort());
    assert.equal(copyImage(layout(), name, join(folder, "copy")), digestOf(layout(), name));
  }
  assert.equal(users.size, roles.length);
  assert.ok(!users.has("0:0"));
});

test("the node of an image, from the file system that umoci unpacks, as its user, answers /health/ready and ends on TERM", {
  skip: noOciTools,
}, async (t) => {
  const { root, remove } = unpackImage(layout(), "bono");
  t.after(remove);
  const config = configOf(layout(), "bono");
  const any = ["sip", "ws", "core", "management"].flatMap((name) => [`--${name}-port`, "0"]);
  const container = await runImage(root, config, [...any, "--icscf-uri", "sip:127.0.0.1:1;transport=tcp"]);
  t.after(() => container.stop());
  const answer = await fetch(`http://127.0.0.1:${container.ports["management"]}/health/ready`);
  assert.equal(answer.status, 200, await answer.text());
  const status = readFileSync(`/proc/${container.pid}/status`, "utf8");
  assert.match(status, /^Uid:\t802\t802\t802\t802$/m);
  assert.match(status, /^Gid:\t800\t800\t800\t800$/m);
  assert.equal(engineHelpersOf(container.pid), 1);
  const probe = (port: string) =>
    spawnSync("chroot", [root, "/usr/lib/tidewater/bin/node", "/usr/lib/tidewater/health.mjs", port]);
  assert.equal(probe(String(container.ports["management"])).status, 0);
  assert.equal(probe("1").status, 1);
  assert.equal(await container.stop(), 0);
});

test("ellis in an image has the pages of its portal", { skip: noOciTools }, async (t) => {
  const { root, remove } = unpackImage(layout(), "ellis");
  t.after(remove);
  const args = ["--port", "0", "--management-port", "0", "--homestead", "http://127.0.0.1:1"];
  const container = await runImage(root, configOf(layout(), "ellis"), args);
  t.after(() => container.stop());
  for (const path of ["/", "/pages/portal.js", "/staff", "/pages/staff/subscribers/one.js"]) {
    const page = await fetch(`http://127.0.0.1:${container.ports["http"]}${path}`);
    assert.equal(page.status, 200, path);
  }
  assert.equal(await container.stop(), 0);
});

test("the same layers give the same layout, byte for byte; blobs have the digests of what is in them as names", async () => {
  const text = Buffer.from("tide\n".repeat(1000));
  const indexes = [];
  for (const at of ["one", "other"].map((name) => join(folder, name))) {
    const written = new ImageLayout(at, EPOCH);
    const layer = await written.addLayer(
      tarOf([{ path: "etc/tide", content: { bytes: text } }], EPOCH),
      "tide",
    );
    written.addImage("tide", [layer], EXECUTION);
    written.finish();
    indexes.push(readFileSync(join(at, "index.json"), "utf8"));
    const blobs = readdirSync(join(at, "blobs/sha256"));
    assert.equal(blobs.length, 3);
    for (const blob of blobs)
      assert.equal(hash("sha256", readFileSync(join(at, "blobs/sha256", blob))), blob);
  }
  assert.equal(indexes[0], indexes[1]);
});
