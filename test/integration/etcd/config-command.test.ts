import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cluster, folder, skip } from "./support.ts";

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const PROGRAM = join(import.meta.dirname, "../../../nodes/tidewater/test/fixtures/commands.ts");

describe("tidewater config with the etcd of a site", { skip }, () => {
  test("what is applied is checked, kept, compared and taken back; two at a time: one is told; without quorum nothing is changed", async (t) => {
    const site = await cluster(t, 3);
    const dir = folder(t);
    const programs = [0, 1].map(() =>
      fork(PROGRAM, [], { execArgv: [], env: { ...process.env, SUDO_USER: "op", NO_COLOR: "1" } }),
    );
    t.after(() => {
      for (const program of programs) program.kill();
    });
    const run = async (by: number, ...args: string[]): Promise<Result> => {
      const program = programs[by];
      assert.ok(program !== undefined);
      program.send({ args: ["config", ...args, "--etcd", site.endpoints, "--root", "/site"] });
      const [answer] = (await once(program, "message")) as [Result];
      return answer;
    };
    const file = (name: string, text: string): string => {
      const path = join(dir, name);
      writeFileSync(path, text);
      return path;
    };
    const first = file("first.yaml", "home_domain: example.com\nprovisioning_tokn: geheim\n");
    assert.match(
      (await run(0, "apply", first)).err,
      /first\.yaml:2: provisioning_tokn: no node has such an option/,
    );
    const key = "00112233445566778899aabbccddeeff";
    const one = file("one.conf", `home_domain=example.com\nflow_token_key=${key}\nlog_level=info\n`);
    assert.equal((await run(0, "show")).code, 1);
    assert.match(
      (await run(0, "apply", one)).out,
      /configuration 1 is in force\nit takes a restart of: bono, homestead, sprout\n/,
    );
    const hot = file(
      "hot.conf",
      `home_domain=example.com\nflow_token_key=${key}\nlog_level=debug\noverload_floor=300\n`,
    );
    assert.equal(
      (await run(0, "diff", hot)).out,
      "- log_level=info\n+ log_level=debug\n+ overload_floor=300\n",
    );
    // Nobody restarts for it.
    assert.match(
      (await run(0, "apply", hot, "--comment", "a look")).out,
      /configuration 2 is in force\nrunning nodes take it at once\n/,
    );
    const both = await Promise.all(
      [0, 1].map((by) => run(by, "apply", file(`${by}.conf`, `home_domain=${by}.example\n`), "--on", "2")),
    );
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1]);
    assert.match(both.map(({ err }) => err).join(""), /^tidewater: configuration 3 is in force meanwhile/);
    const history = JSON.parse((await run(1, "history", "--json")).out) as {
      number: number;
      author: string;
      comment: string;
    }[];
    assert.deepEqual(
      history.map(({ number, author, comment }) => [number, author, comment]),
      [
        [3, "op", ""],
        [2, "op", "a look"],
        [1, "op", ""],
      ],
    );
    const back = await run(1, "rollback", "2");
    assert.match(back.out, /\+ log_level=debug\n/);
    const shown = await run(0, "show");
    assert.match(shown.out, /^# etcd, configuration 4, .*, op: back to 2\n/);
    assert.match(shown.out, /^flow_token_key=\(secret\) {2}# bono: with a restart$/m);
    for (const { out, err } of [back, shown, ...both]) assert.ok(!(out + err).includes(key));

    for (const member of site.members.slice(1)) await member.kill();
    const [refused, alone] = await Promise.all([run(0, "apply", one), run(1, "show")]);
    for (const { code, err } of [refused, alone]) {
      assert.equal(code, 1);
      assert.match(err, /^tidewater: .*etcd has no quorum, or is not reached/);
    }
    for (const member of site.members.slice(1)) await member.restart();
    await site.writable();
    assert.match((await run(0, "show")).out, /^# etcd, configuration 4, /);
  });
});
