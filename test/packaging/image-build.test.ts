import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ENGINE_FLAGS } from "@ims/runtime";
import { load } from "js-yaml";
import { PROGRAMS } from "../../images/build/bundles.ts";
import { debianSources, installedPackages, PACKAGES, readPackageList } from "../../images/build/debian.ts";
import { requireSpace } from "../../images/build/space.ts";
import { BuildError, run } from "../../images/build/tools.ts";
import { placesBelow } from "../../images/member/files.ts";
import { CONTAINER_ROLES } from "../../images/oci/roles.ts";
import { readModel } from "../../vnf/src/index.ts";

const ROOT = join(import.meta.dirname, "../..");
const FILES = join(ROOT, "images/files");
const UNITS = globSync("etc/systemd/system/*.service", { cwd: FILES }).sort();

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "image-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("systemd finds nothing wrong with the units", (t) => {
  const at = folder(t);
  for (const unit of UNITS) {
    const text = readFileSync(join(FILES, unit), "utf8")
      // What they run is in the image only.
      .replaceAll(/^(ExecStart=)\S+/gm, `$1${process.execPath}`)
      .replaceAll(/^(User|Group)=.*$/gm, "$1=root")
      .replaceAll(/^Documentation=.*\n/gm, "");
    writeFileSync(join(at, basename(unit)), text);
  }
  const files = UNITS.map((unit) => join(at, basename(unit)));
  const ended = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
  assert.ifError(ended.error);
  const own = ended.stderr.split("\n").filter((line) => line.includes("tidewater-"));
  assert.deepEqual(own, []);
  assert.equal(ended.status, 0, ended.stderr);
});

for (const unit of UNITS)
  test(`${basename(unit)} is exposed to little: systemd-analyze security`, (t) => {
    const at = join(folder(t), basename(unit));
    writeFileSync(at, readFileSync(join(FILES, unit)));
    // Of ten; what starts the others must be root.
    const most = unit.includes("member") ? 55 : /certificates|data|restart/.test(unit) ? 35 : 20;
    const ended = spawnSync(
      "systemd-analyze",
      ["security", "--offline=yes", `--threshold=${most}`, "--no-pager", at],
      { encoding: "utf8" },
    );
    assert.ifError(ended.error);
    assert.equal(ended.status, 0, ended.stdout.trim().split("\n").slice(-1)[0] + ended.stderr);
  });

/** The others are started by a unit as root, or by hand. */
const DAEMONS = PROGRAMS.filter(({ name }) => !["member", "etcd-admin", "site-config"].includes(name));

test("each program has a unit of its own that runs it as a user of its own", () => {
  const users = new Set<string>();
  for (const { name, file } of DAEMONS) {
    const unit = name === "etcd-cluster" ? "cluster" : name;
    const text = readFileSync(join(FILES, `etc/systemd/system/tidewater-${unit}.service`), "utf8");
    const command = [
      "--disable-warning=ExperimentalWarning",
      ...ENGINE_FLAGS,
      `/usr/lib/tidewater/${file}`,
      "--config",
    ];
    assert.ok(text.includes(`ExecStart=/usr/lib/tidewater/bin/node ${command.join(" ")} `), name);
    users.add(/^User=(.*)$/m.exec(text)?.[1] ?? "");
  }
  assert.equal(users.size, DAEMONS.length);
  const accounts = readFileSync(join(FILES, "usr/lib/sysusers.d/tidewater.conf"), "utf8");
  for (const user of users) assert.match(accounts, new RegExp(`^u ${user} +8[0-9]{2}:tidewater `, "m"));
});

test("every user has a number of its own, in containers the one of the image", () => {
  const accounts = readFileSync(join(FILES, "usr/lib/sysusers.d/tidewater.conf"), "utf8");
  const numbers = new Map(
    [...accounts.matchAll(/^u tidewater-([a-z]+) +(\d+):/gm)].map(([, name = "", uid]) => [
      name,
      Number(uid),
    ]),
  );
  assert.equal(new Set(numbers.values()).size, numbers.size, JSON.stringify([...numbers]));
  assert.ok(numbers.size > 10);
  for (const { name, uid } of CONTAINER_ROLES)
    if (numbers.has(name)) assert.equal(numbers.get(name), uid, name);
    else assert.ok(![...numbers.values()].includes(uid), name);
});

test("every process that the model puts on a machine is in the image, with a unit", () => {
  const model = readModel();
  assert.ok(model.kind === "model");
  const unitOf = new Map([
    ["etcd-cluster", "tidewater-cluster"],
    ["sshd", "ssh"],
  ]);
  const processes = new Set(model.model.vdus.flatMap((vdu) => vdu.processes));
  for (const process of processes) {
    const unit = unitOf.get(process) ?? `tidewater-${process}`;
    if (unit === "ssh") assert.ok((PACKAGES as readonly string[]).includes("openssh-server"));
    else assert.ok(UNITS.includes(`etc/systemd/system/${unit}.service`), process);
  }
});

test("what a unit or a script of the image names is there: users, programs, folders that are written", () => {
  const accounts = readFileSync(join(FILES, "usr/lib/sysusers.d/tidewater.conf"), "utf8");
  for (const unit of UNITS) {
    const text = readFileSync(join(FILES, unit), "utf8");
    const user = /^User=(.*)$/m.exec(text)?.[1];
    if (user !== undefined) assert.match(accounts, new RegExp(`^u ${user} `, "m"), unit);
    for (const [, path = ""] of text.matchAll(/(\/usr\/lib\/tidewater\/[a-z-]+\.[a-z]+)/g))
      assert.ok(existsSync(join(FILES, path)), `${unit}: ${path}`);
    // A unit that protects the clock has no device but those it names.
    if (/mkfs|data-volume/.test(text)) assert.match(text, /^DeviceAllow=block-\* rw$/m, unit);
  }
  // On a data volume nothing can be executed.
  const cassandra = readFileSync(join(FILES, "usr/lib/tidewater/cassandra.options"), "utf8");
  for (const [, folder = ""] of cassandra.matchAll(/^-D(?:java\.io|jna)\.tmpdir=(.*)$/gm))
    assert.doesNotMatch(folder, /^\/var\/lib\/tidewater/);
});

test("a data volume that is blank gets a file system, one with anything on it is left as it is, and a missing one is told", (t) => {
  const at = folder(t);
  const volume = "5f3a9c62-0d0e-4b7e-9a43-6d0a6a2f4c41";
  const tried = join(at, "tried");
  for (const [name, does] of [
    ["blkid", 'exit "$FOUND"'],
    ["mkfs.ext4", `echo "mkfs $*" >>${tried}`],
    ["systemctl", `echo "systemctl $*" >>${tried}`],
  ] as const)
    writeFileSync(join(at, name), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  writeFileSync(join(at, "volume"), `${volume}\n`);
  const disks = join(at, "disks");
  mkdirSync(disks);
  const start = (found: number, name = "volume") => {
    rmSync(tried, { force: true });
    const script = join(FILES, "usr/lib/tidewater/data-volume.sh");
    const env = { PATH: `${at}:${process.env["PATH"] ?? ""}`, FOUND: String(found) };
    const units = join(at, "units");
    const args = [script, join(at, name), disks, "1", join(FILES, "usr/lib/tidewater"), units];
    const ended = spawnSync("sh", args, { encoding: "utf8", env });
    const did = existsSync(tried) ? readFileSync(tried, "utf8") : "";
    return { code: ended.status, said: ended.stderr, did };
  };
  const absent = start(2);
  assert.deepEqual([absent.code, absent.did], [1, ""]);
  assert.match(absent.said, new RegExp(`the data volume ${volume} is not attached`));
  const disk = join(disks, `virtio-${volume.slice(0, 20)}`);
  writeFileSync(`${disk}-part1`, "");
  writeFileSync(disk, "");
  const mount = "systemctl daemon-reload\nsystemctl start var-lib-tidewater.mount\n";
  assert.deepEqual(start(2), { code: 0, said: "", did: `mkfs -q -L tidewater-data ${disk}\n${mount}` });
  assert.deepEqual(start(0), { code: 0, said: "", did: mount });
  rmSync(disk);
  mkdirSync(disk);
  const unreadable = start(2);
  assert.deepEqual([unreadable.code, unreadable.did], [1, ""], "blkid says 2 of what it cannot read, too");
  rmSync(disk, { recursive: true });
  writeFileSync(disk, "");
  assert.match(
    readFileSync(join(at, "units/var-lib-tidewater.mount"), "utf8"),
    /^Where=\/var\/lib\/tidewater$/m,
  );
  // A unit of that name makes every unit with a StateDirectory below it wait for the volume, and fail without one.
  assert.deepEqual(globSync("etc/systemd/system/*.mount", { cwd: FILES }), []);
  const unsure = start(8);
  assert.deepEqual([unsure.code, unsure.did], [1, ""], "nothing is done to what cannot be told");
  writeFileSync(join(at, "odd"), "../../vda; rm -rf /");
  const odd = start(2, "odd");
  assert.deepEqual([odd.code, odd.did], [1, ""]);
});

test("a restart is asked for by a file, and waited for until root has taken it away", async (t) => {
  const file = join(folder(t), "restart");
  const script = join(FILES, "usr/lib/tidewater/restart-node.sh");
  const late = spawnSync("sh", [script, file, "0"], { encoding: "utf8" });
  assert.equal(late.status, 1);
  assert.match(late.stderr, /was not restarted in time/);
  assert.ok(!existsSync(file), "nothing is restarted afterwards");
  const child = spawn("sh", [script, file, "20"]);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
  rmSync(file);
  assert.equal(await ended, 0);
});

test("a unit that needs what the member program writes looks for it where that writes it", () => {
  const { run: directory } = placesBelow("/");
  for (const unit of ["cluster", "etcd", "memcached"]) {
    const text = readFileSync(join(FILES, `etc/systemd/system/tidewater-${unit}.service`), "utf8");
    assert.match(text, new RegExp(`^ConditionPathExists=${directory}/`, "m"));
  }
});

test("cloud-init has no module that installs, fetches or asks a network service", () => {
  const config = load(readFileSync(join(FILES, "etc/cloud/cloud.cfg"), "utf8")) as Record<string, string[]>;
  assert.deepEqual(config["datasource_list"], ["ConfigDrive", "NoCloud", "None"]);
  const modules = ["init", "config", "final"].flatMap((stage) => config[`cloud_${stage}_modules`] ?? []);
  for (const refused of [
    "package-update-upgrade-install",
    "apt-configure",
    "ntp",
    "phone-home",
    "snap",
    "puppet",
    "chef",
  ])
    assert.ok(!modules.includes(refused), refused);
  assert.ok(modules.includes("write-files"));
});

test("Debian's sources come from the machine's apt and are of the wanted release", () => {
  for (const line of debianSources("bookworm"))
    assert.match(line, /^deb \S+ bookworm(?:-updates|-security)? main$/);
  assert.throws(() => debianSources("potato"), /no source for Debian potato/);
});

test("a dpkg status file: installed packages, with their sources, sorted", (t) => {
  const file = join(folder(t), "status");
  const paragraph = (name: string, state: string, more = ""): string =>
    `Package: ${name}\nStatus: ${state}\nArchitecture: amd64\n${more}Version: 1.2-3\n`;
  writeFileSync(
    file,
    [
      paragraph("zlib1g", "install ok installed", "Source: zlib (1:1.2)\n"),
      paragraph("gone", "deinstall ok config-files"),
      paragraph("adduser", "install ok installed"),
    ].join("\n"),
  );
  assert.deepEqual(
    installedPackages(file).map(({ name, source, sourceVersion }) => [name, source, sourceVersion]),
    [
      ["adduser", "adduser", "1.2-3"],
      ["zlib1g", "zlib", "1:1.2"],
    ],
  );
});

test("a list of packages is refused with file and line", (t) => {
  const file = join(folder(t), "packages");
  writeFileSync(file, "adduser=3.134\n\nlibc6;rm=1\n");
  assert.throws(() => readPackageList(file), new RegExp(`${file}:3: expected name=version`));
  assert.throws(() => readPackageList(`${file}.not`), /cannot be read: ENOENT/);
  writeFileSync(file, "adduser=3.134\nlibstdc++6=12.2.0-14+deb12u1\n");
  assert.deepEqual(readPackageList(file), ["adduser=3.134", "libstdc++6=12.2.0-14+deb12u1"]);
});

test("a disk that is too full is said before anything is made", () => {
  assert.throws(
    () => requireSpace(tmpdir(), 1e6),
    /GB free, a build takes 1000000 GB: make room or give another --output/,
  );
  requireSpace(tmpdir(), 0);
});

test("what is interrupted ends with all that it started", async (t) => {
  const at = folder(t);
  const stop = new AbortController();
  const how = { log: join(at, "log"), signal: stop.signal, epoch: 1_700_000_000, temporary: at };
  const script = `sleep 600 & echo $! >${at}/child; date -u -d @$SOURCE_DATE_EPOCH +%Y; wait`;
  const running = run("sh", ["-c", script], how);
  while (!existsSync(join(at, "child")) || readFileSync(join(at, "child"), "utf8") === "")
    await new Promise((resolve) => setTimeout(resolve, 10));
  const child = Number(readFileSync(join(at, "child"), "utf8"));
  stop.abort(new BuildError("interrupted"));
  await assert.rejects(running, /interrupted/);
  const deadline = performance.now() + 5000;
  while (isRunning(child) && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(!isRunning(child), "the grandchild is gone too");
});

/** A zombie that nobody has waited for counts as gone. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a program that fails is quoted with the end of what it said", async (t) => {
  const at = folder(t);
  const how = { log: join(at, "log"), signal: new AbortController().signal, epoch: 0, temporary: at };
  await assert.rejects(
    run("sh", ["-c", "echo first; echo E: Unable to locate package x >&2; exit 100"], how),
    (error: Error) => {
      assert.ok(error instanceof BuildError);
      assert.match(error.message, /sh ended with 100:\nfirst\nE: Unable to locate package x/);
      return true;
    },
  );
});

const REFUSED: readonly (readonly [
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  code: number,
  says: RegExp,
])[] = [
  [["--format", "vmdk"], {}, 2, /--format: 'vmdk' is not qcow2 or raw/],
  [["--colour"], {}, 2, /--colour/],
  [
    ["--packages", "/nowhere"],
    { TIDEWATER_ANY: "1" },
    1,
    /\/nowhere cannot be read|Debian packages are missing/,
  ],
];
for (const [args, env, code, says] of REFUSED)
  test(`image:build ${args.join(" ")} ends with ${code}, says why and leaves nothing`, (t) => {
    const output = join(folder(t), "sub", "image");
    mkdirSync(join(output, ".."));
    const ended = spawnSync(process.execPath, [join(ROOT, "images/build.ts"), "--output", output, ...args], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    assert.equal(ended.status, code, ended.stderr);
    assert.match(ended.stderr, says);
    assert.deepEqual(globSync("*", { cwd: join(output, "..") }), []);
  });
