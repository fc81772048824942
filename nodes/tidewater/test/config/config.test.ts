import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const ENV = { ...process.env, USER: "op", SUDO_USER: "", TIDEWATER_BONO_WS_PORT: "6062", NO_COLOR: "1" };

/** One process for all commands of a test: most of a command's time is its start. */
const program = fork(join(import.meta.dirname, "../fixtures/commands.ts"), [], {
  execArgv: process.execArgv.filter((one) => !one.startsWith("--report")),
  env: ENV,
});
after(() => program.kill());
let last: Promise<unknown> = Promise.resolve();

function config(...args: string[]): Promise<Result> {
  const result = last.then(async () => {
    program.send({ args: ["config", ...args] });
    const [answer] = (await once(program, "message")) as [Result];
    return answer;
  });
  last = result;
  return result;
}

/** A process of its own. */
async function spawned(...args: string[]): Promise<Result> {
  const child = spawn(process.execPath, [PROGRAM, "config", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: ENV,
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

function files(t: TestContext): {
  folder: string;
  at: (name: string) => string;
  write: (name: string, text: string) => string;
} {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-config-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    at,
    write(name, text) {
      writeFileSync(at(name), text, { mode: 0o640 });
      return at(name);
    },
  };
}

const KEY = "00112233445566778899aabbccddeeff";

test("tidewater config on a file: checked, compared, applied whole, shown without secrets, taken back; edits by hand are kept", async (t) => {
  const { folder, at, write } = files(t);
  const file = at("shared_config");
  const one = write("one.conf", `# of the site\nhome_domain=example.com\nflow_token_key=${KEY}\n`);
  const where = ["--file", file];
  assert.deepEqual(await config("diff", one, ...where), {
    code: 0,
    out: "+ flow_token_key=(secret)\n+ home_domain=example.com\n",
    err: "",
  });
  assert.deepEqual(readdirSync(folder).sort(), ["one.conf"]);
  const applied = await config("apply", one, ...where, "--comment", "the first");
  assert.equal(applied.err, "");
  assert.match(
    applied.out,
    /configuration 1 is in force\nit takes a restart of: bono, ellis, homer, homestead, ralf, sprout\n$/,
  );
  assert.match(
    readFileSync(file, "utf8"),
    /^# configuration 1\n# Written by tidewater config[^\n]*\n# of the site\nhome_domain=/,
  );
  assert.equal(statSync(file).mode & 0o777, 0o640);

  // By hand: its header stays.
  writeFileSync(file, `${readFileSync(file, "utf8")}ws_port=5072\n`);
  const two = write(
    "two.yaml",
    `home_domain: example.org\nlog_level: debug\nemergency_numbers: [112, 110=sos.police]\nflow_token_key: ${KEY}\n`,
  );
  const next = await config("apply", two, ...where, "--on", "2", "--json");
  assert.deepEqual(JSON.parse(next.out), {
    result: "applied",
    number: 3,
    restart: ["bono", "ellis", "homer", "homestead", "ralf", "sprout"],
    changes: [
      { key: "emergency_numbers", after: "112,110=sos.police" },
      { key: "home_domain", before: "example.com", after: "example.org" },
      { key: "log_level", after: "debug" },
      { key: "ws_port", before: "5072" },
    ],
  });
  const hot = write("hot.conf", readFileSync(file, "utf8").replace("debug", "warn"));
  assert.match(
    (await config("apply", hot, ...where)).out,
    /configuration 4 is in force\nrunning nodes take it at once\n$/,
  );

  const [history, shown, contention, back] = await Promise.all([
    config("history", ...where, "--json"),
    config("show", ...where),
    config("apply", one, ...where, "--on", "3"),
    config("rollback", "77", ...where),
  ]);
  const states = JSON.parse(history.out) as { number: number; author: string; comment: string }[];
  assert.deepEqual(
    states.map(({ number, author, comment }) => [number, author, comment]),
    [
      [4, "op", ""],
      [3, "op", ""],
      [2, "", "edited by hand"],
      [1, "op", "the first"],
    ],
  );
  assert.match(shown.out, /^# .*, configuration 4, .*, op\n/);
  assert.match(shown.out, /^log_level=warn {2}# bono, sprout, .*: at once$/m);
  assert.match(shown.out, /^flow_token_key=\(secret\) {2}# bono: with a restart$/m);
  assert.deepEqual(
    [contention.code, contention.err],
    [1, "tidewater: configuration 4 is in force meanwhile: look at it (config show), then apply again\n"],
  );
  assert.deepEqual([back.code, back.out], [1, ""]);
  assert.match(back.err, /^tidewater: there is none: /);

  const taken = await config("rollback", "2", ...where);
  assert.match(taken.out, /\+ ws_port=5072\nconfiguration 5 is in force\n/);
  assert.match(
    readFileSync(file, "utf8"),
    /^# configuration 5\n.*\n# of the site\nhome_domain=example\.com\nflow_token_key=.*\nws_port=5072\n$/,
  );
  for (const { out, err } of [applied, next, history, shown, taken]) assert.ok(!(out + err).includes(KEY));

  const sources = await config("show", ...where, "--node", "bono", "--changed", "--json");
  assert.deepEqual(
    (JSON.parse(sources.out) as { option: string; origin: string; source: string; value: unknown }[]).map(
      ({ option, value, origin }) => [option, value, origin],
    ),
    [
      ["ws_port", 6062, "environment"],
      ["home_domain", "example.com", "file"],
      ["flow_token_key", "[secret]", "file"],
    ],
  );
});

test("two changes at the same time: one is made, the other is told so, and nothing is half written", async (t) => {
  const { at, write } = files(t);
  const file = at("shared_config");
  const texts = ["a.example", "b.example", "c.example"].map((domain) =>
    write(`${domain}.conf`, `home_domain=${domain}\n`),
  );
  const results = await Promise.all(texts.map((text) => spawned("apply", text, "--file", file)));
  const done = results.filter(({ code }) => code === 0);
  const refused = results.filter(({ code }) => code === 1);
  assert.equal(done.length + refused.length, 3);
  for (const { err } of refused)
    assert.match(
      err,
      /^tidewater: (?:configuration \d is in force meanwhile|process .* is changing it at this moment)/,
    );
  assert.match(
    readFileSync(file, "utf8"),
    new RegExp(`^# configuration ${done.length}\\n.*\\nhome_domain=[abc]\\.example\\n$`),
  );
  // Left by a process that died.
  writeFileSync(`${file}.lock`, "4194999\n");
  assert.equal((await config("apply", write("d.conf", "home_domain=d.example\n"), "--file", file)).code, 0);
});

test("what is wrong with a file is said with its line, the nearest name and no secret; the file in force stays", async (t) => {
  const { at, write } = files(t);
  const file = write("shared_config", "home_domain=example.com\n");
  const check = (name: string, text: string, ...more: string[]): Promise<Result> =>
    config("check", write(name, text), "--file", file, ...more);
  const cases: [Promise<Result>, RegExp][] = [
    [
      check("unknown.conf", "home_domain=a.b\nhome_domian=x\n"),
      /^\S+unknown\.conf:2: home_domian: no node has such an option \(did you mean home_domain\?\)$/m,
    ],
    [
      check("range.conf", "\nsip_port=70000\nws_port=many\n"),
      /range\.conf:2: sip_port: bono would refuse it: [^\n]*65535[^\n]*\n\S+range\.conf:3: ws_port: bono would refuse it/,
    ],
    [
      check("contradiction.conf", "release_calls=true\n"),
      /contradiction\.conf:1: release_calls: bono would refuse it: goes with --subscribe-to-registrations/,
    ],
    [
      check("secret.json", '{\n "tls_key": "geheim",\n "tls_cert": "x"\n}'),
      /secret\.json:2: tls_key: bono would refuse it: the base64 of a PEM/,
    ],
    [check("broken.json", '{\n "home_domain": "geheim",,\n}'), /broken\.json:2: is not JSON \(column \d+\)/],
    [check("broken.yaml", "home_domain: a.b\n  log_level: geheim: x\n"), /broken\.yaml:\d: is not YAML/],
    [
      check("nested.yaml", "home_domain: a.b\nbono:\n  ws_port: 1\n"),
      /nested\.yaml:2: bono: write one value, or a list of them/,
    ],
    [check("list.json", "[1]"), /list\.json:1: is no mapping/],
    [
      check("twice.conf", "a=1\nlog_level=warn\nlog_level=info\n"),
      /twice\.conf:3: log_level stands there twice/,
    ],
    [check("proto.conf", "__proto__=1\n"), /proto\.conf:1: __proto__: no node has such an option/],
    [check("huge.conf", "#".repeat(10_000_000)), /huge\.conf: is larger than 1048576 bytes/],
    [
      check("other.conf", "cassandra=127.0.0.1:9042\n", "--node", "bono"),
      /other\.conf:1: cassandra: bono has no such option/,
    ],
    [config("apply", "/dev/zero", "--file", file), /\/dev\/zero: is larger than/],
    [config("apply", at("none"), "--file", file), /none: no such file/],
    [
      config("apply", write("bad.conf", "log_level=loud\n"), "--file", file),
      /bad\.conf:1: log_level: .*\ntidewater: nothing was changed/,
    ],
    [
      config("apply", write("x.conf", "log_level=info\n"), "--file", join(file, "below")),
      /ENOTDIR|not a directory/,
    ],
  ];
  for (const [asked, wanted] of cases) {
    const { code, err, out } = await asked;
    assert.match(err, wanted);
    assert.doesNotMatch(err + out, /geheim/);
    assert.equal(code, 1, err);
  }
  assert.equal(readFileSync(file, "utf8"), "home_domain=example.com\n");
  const site = write(
    "site_config",
    "# configuration 7\n# Written by etcd-cluster; change it with tidewater config.\nlog_level=info\n",
  );
  const [foreign, fine, told, ...wrong] = await Promise.all([
    config("apply", write("y.conf", "log_level=warn\n"), "--file", site),
    config("check", "--file", file),
    check("json.conf", "log_level=loud\n", "--json"),
    config("rollback", "one", "--file", file),
    config("apply"),
    config("show", "--file", file, "--etcd", "http://127.0.0.1:1"),
    config("check", "--file", file, "--node", "chronos"),
    config("show", "--colour"),
    config("nonsense"),
  ]);
  assert.match(foreign.err, /^tidewater: etcd-cluster writes this file/);
  assert.equal(fine.code, 0, fine.err);
  const { valid, problems } = JSON.parse(told.out) as {
    valid: boolean;
    problems: { line: number; key: string }[];
  };
  assert.deepEqual([told.code, valid, problems[0]?.line, problems[0]?.key], [1, false, 1, "log_level"]);
  for (const { code, err } of wrong) assert.equal(code, 2, err);
});
