import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Argument, Command, Option } from "commander";
import { bashCompletion } from "../../src/completion/bash.ts";
import { commandTable } from "../../src/completion/command-table.ts";
import { fishCompletion } from "../../src/completion/fish.ts";
import { zshCompletion } from "../../src/completion/zsh.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "tidewater-completion-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** What bash completes, asked the way readline asks. */
function asked(script: string, cwd: string, ...words: string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(" ");
  const { stdout, stderr, status } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `source ${script}; COMP_WORDS=(tidewater ${line}); COMP_CWORD=${words.length}; _tidewater; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: "utf8", cwd },
  );
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout
    .split("\n")
    .filter((word) => word !== "")
    .sort();
}

test("tidewater completion bash: commands, options, their values and files, from the definitions of all commands", async (t) => {
  const dir = folder(t);
  const script = join(dir, "tidewater.bash");
  const made = spawnSync(process.execPath, [PROGRAM, "completion", "bash"], { encoding: "utf8" });
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  writeFileSync(script, made.stdout);
  assert.deepEqual(asked(script, dir, "comp"), ["completion"]);
  assert.deepEqual(asked(script, dir, "config", ""), [
    "apply",
    "check",
    "diff",
    "history",
    "rollback",
    "show",
  ]);
  assert.deepEqual(asked(script, dir, "config", "apply", "--au"), ["--author"]);
  assert.deepEqual(asked(script, dir, "config", "check", "--node", "ho"), ["homer", "homestead"]);
  assert.deepEqual(asked(script, dir, "log-level", "--state-dir", "x", "de"), ["debug"]);
  assert.deepEqual(asked(script, dir, "completion", ""), ["bash", "fish", "zsh"]);
  assert.deepEqual(asked(script, dir, "alarms", "--wa"), ["--watch"]);
  assert.deepEqual(asked(script, dir, "trail", "alice", "--fo"), ["--follow"]);
  assert.deepEqual(asked(script, dir, "vnf", "plan", "--sub"), ["--subscribers"]);
  writeFileSync(join(dir, "new.conf"), "");
  assert.deepEqual(asked(script, dir, "config", "apply", "--etcd-ca", "new"), ["new.conf"]);

  // With readline, at a terminal.
  const shell = spawn("script", ["-q", "-e", "-c", "bash --norc --noprofile -i", "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: dir,
    env: { ...process.env, TERM: "dumb", PS1: "$ " },
  });
  let seen = "";
  shell.stdout.setEncoding("utf8").on("data", (text) => {
    seen += text;
  });
  shell.stdin.write(`source ${script}; tidewater() { echo "GOT:$*."; }\n`);
  shell.stdin.write("tidewater conf\tap\tnew\t--comm\t\n");
  shell.stdin.write("exit\n");
  await once(shell, "close");
  assert.match(seen, /GOT:config apply new\.conf --comment\./);
});

test("names and descriptions with quotes are words in every shell", (t) => {
  const program = new Command("tidewater");
  program
    .command("speak")
    .description("say 'it' \\ loud: $(reboot)")
    .addOption(new Option("-v, --voice <name>", "whose").choices(["o'hara", "x"]))
    .addArgument(new Argument("[what]").choices(["hello"]));
  const rows = commandTable(program);
  assert.deepEqual(
    rows.map(({ path, words, options }) => [path, words, options.map(({ flags }) => flags)]),
    [
      ["", undefined, [["--help", "-h"]]],
      [
        "speak",
        ["hello"],
        [
          ["--voice", "-v"],
          ["--help", "-h"],
        ],
      ],
    ],
  );
  const dir = folder(t);
  mkdirSync(join(dir, "sub"));
  const script = join(dir, "script");
  writeFileSync(script, bashCompletion(rows));
  assert.deepEqual(asked(script, dir, "speak", "he"), ["hello"]);
  assert.match(zshCompletion(rows), /'speak:say '\\''it'\\'' \\ loud: \$\(reboot\)'/);
  assert.match(fishCompletion(rows), /-a 'speak' -d 'say \\'it\\' \\\\ loud: \$\(reboot\)'/);
});
