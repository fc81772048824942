import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LoadResult, loadOptions } from "@ims/runtime";
import { z } from "zod";

const schema = z.object({
  homeDomain: z.string().min(1).default("example.com").describe("home network domain name"),
  scscfPort: z
    .int()
    .min(1)
    .max(65535)
    .default(5054)
    .describe("S-CSCF SIP port")
    .meta({ clearwaterKey: "scscf" }),
  ratio: z.number().default(0.5),
  strict: z.boolean().default(false),
  peers: z.array(z.string()).default([]),
  key: z
    .string()
    .default("")
    .meta({ needs: ["certificate", "peers"] }),
  certificate: z.string().default(""),
  provisioningSecret: z.string().min(8).default("12345678").meta({ secret: true }),
});
type Options = z.output<typeof schema>;

interface Given {
  readonly argv?: string[];
  readonly env?: Record<string, string>;
  readonly shared?: string;
  readonly config?: string;
}

function load(t: TestContext, { argv = [], env = {}, shared, config }: Given): LoadResult<Options> {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const sharedConfigPath = join(folder, "shared_config");
  if (shared !== undefined) writeFileSync(sharedConfigPath, shared);
  if (config !== undefined) writeFileSync(join(folder, "sprout.conf"), config);
  const file = config === undefined ? [] : ["--config", join(folder, "sprout.conf")];
  const result = loadOptions({ name: "sprout", schema, argv: [...file, ...argv], env, sharedConfigPath });
  if (result.kind !== "invalid") return result;
  return { kind: "invalid", lines: result.lines.map((line) => line.replaceAll(`${folder}/`, "")) };
}

function options(t: TestContext, given: Given): Options {
  const result = load(t, given);
  if (result.kind !== "loaded") return assert.fail(JSON.stringify(result));
  return result.options;
}

function lines(t: TestContext, given: Given): readonly string[] {
  const result = load(t, given);
  return result.kind === "invalid" ? result.lines : assert.fail(result.kind);
}

test("the later source wins: default, shared file, file, environment, command line", (t) => {
  const shared = "home_domain=shared.example\n";
  const config = "home_domain=file.example\n";
  const env = { TIDEWATER_SPROUT_HOME_DOMAIN: "env.example" };
  const argv = ["--home-domain", "argv.example"];
  assert.equal(options(t, {}).homeDomain, "example.com");
  assert.equal(options(t, { shared }).homeDomain, "shared.example");
  assert.equal(options(t, { shared, config }).homeDomain, "file.example");
  assert.equal(options(t, { shared, config, env }).homeDomain, "env.example");
  assert.equal(options(t, { shared, config, env, argv }).homeDomain, "argv.example");
});

test("each value's source is remembered, defaults excepted", (t) => {
  const result = load(t, {
    config: "# x\nscscf=5055\n",
    argv: ["--strict"],
    env: { TIDEWATER_SPROUT_RATIO: "1" },
  });
  assert.equal(result.kind, "loaded");
  const sources =
    result.kind === "loaded"
      ? [...result.sources].map(([key, source]) => [key, source.replace(/^.*\//, "")])
      : [];
  assert.deepEqual(sources, [
    ["scscfPort", "sprout.conf:2: scscf"],
    ["ratio", "TIDEWATER_SPROUT_RATIO"],
    ["strict", "--strict"],
  ]);
});

test("text becomes what the schema wants", (t) => {
  const read = options(t, {
    argv: ["--scscf-port=5060", "--ratio", "0.25", "--strict", "--peers", "a:1, b:2,"],
  });
  assert.deepEqual([read.scscfPort, read.ratio, read.strict, read.peers], [5060, 0.25, true, ["a:1", "b:2"]]);
  assert.equal(options(t, { argv: ["--strict", "no"] }).strict, false);
  assert.equal(
    options(t, { config: 'home_domain="quoted.example"\r\nstrict=yes\r\n' }).homeDomain,
    "quoted.example",
  );
  assert.ok(Object.isFrozen(options(t, {})));
});

test("every mistake is one line that names its place", (t) => {
  assert.deepEqual(lines(t, { argv: ["--scscf-prot", "1"] }), [
    "sprout: unknown option '--scscf-prot' (Did you mean --scscf-port?)",
  ]);
  assert.deepEqual(lines(t, { argv: ["stray"] }).length, 1);
  assert.deepEqual(lines(t, { argv: ["--home-domain"] }), [
    "sprout: option '--home-domain <string>' argument missing",
  ]);
  assert.deepEqual(lines(t, { config: "nonsense_key=1\n" }), [
    'sprout: sprout.conf:1: unknown key "nonsense_key"',
  ]);
  assert.deepEqual(lines(t, { config: "\nno equals sign\n" }), ["sprout: sprout.conf:2: expected key=value"]);
  assert.deepEqual(lines(t, { config: "__proto__=1\n" }), ['sprout: sprout.conf:1: unknown key "__proto__"']);
  assert.deepEqual(lines(t, { argv: ["--config", "/nonexistent/x"] }), [
    "sprout: /nonexistent/x: there is no such file",
  ]);
  assert.deepEqual(lines(t, { argv: ["--config", "/"] }), ["sprout: /: cannot be read: EISDIR"]);
  assert.deepEqual(lines(t, { argv: ["--shared-config", "/nonexistent/x"] }), [
    "sprout: /nonexistent/x: there is no such file",
  ]);
  assert.deepEqual(lines(t, { env: { TIDEWATER_SPROUT_NONE: "1" } }), [
    "sprout: environment: unknown variable TIDEWATER_SPROUT_NONE",
  ]);
  for (const port of ["70000", "abc", "", "1.5", "-1"]) {
    const [line, more] = lines(t, { argv: ["--scscf-port", port] });
    assert.ok(line?.startsWith(`sprout: --scscf-port ${JSON.stringify(port)}: `), line);
    assert.equal(more, undefined);
  }
  assert.equal(
    lines(t, { argv: ["--scscf-port", "0"], env: { TIDEWATER_SPROUT_STRICT: "perhaps" } }).length,
    2,
  );
});

test("an unknown key brings the nearest one to mind; what goes with another option is refused alone", (t) => {
  assert.deepEqual(lines(t, { config: "home_domian=x\n" }), [
    'sprout: sprout.conf:1: unknown key "home_domian" (did you mean home_domain?)',
  ]);
  assert.deepEqual(lines(t, { config: "key=k\n" }), [
    "sprout: sprout.conf:1: key: goes with --certificate (certificate) or --peers (peers), which is not given",
  ]);
  assert.equal(options(t, { config: "key=k\n", argv: ["--certificate", "c"] }).key, "k");
});

test("a file of megabytes is not read", (t) => {
  assert.deepEqual(lines(t, { config: "#".repeat(10_000_000) }), [
    "sprout: sprout.conf: cannot be read: larger than 1048576 bytes",
  ]);
});

test("the shared file may hold other nodes' keys, and need not exist", (t) => {
  assert.equal(options(t, { shared: "bono_port=5060\nhome_domain=x.example\n" }).homeDomain, "x.example");
});

test("variables of other nodes are not ours", (t) => {
  assert.equal(options(t, { env: { TIDEWATER_BONO_X: "1", PATH: "/" } }).homeDomain, "example.com");
});

test("a secret shows in no message", (t) => {
  const [line] = lines(t, { argv: ["--provisioning-secret", "TELL"] });
  assert.match(line ?? "", /^sprout: --provisioning-secret: /);
  const help = load(t, { argv: ["--help"] });
  assert.ok(help.kind === "help" && !help.text.includes("12345678"));
});

test("--help shows every option with its variable, default and description", (t) => {
  const help = load(t, { argv: ["--help"] });
  const text = help.kind === "help" ? help.text.replaceAll(/\s+/g, " ") : "";
  assert.match(text, /--scscf-port <integer> S-CSCF SIP port \(TIDEWATER_SPROUT_SCSCF_PORT, default: 5054\)/);
  for (const option of [
    "--home-domain",
    "--ratio",
    "--strict [true|false]",
    "--peers",
    "--config <file>",
    "--help",
  ]) {
    assert.ok(text.includes(option), option);
  }
});
