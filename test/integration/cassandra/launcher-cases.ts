import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { CassandraCluster, cassandraInstallation } from "@ims/tidewater";
import type { CassandraUnderTest } from "../../support/cassandra.ts";

const LAUNCHED = join(import.meta.dirname, "launched.ts");

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cassandra-launcher-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The launcher of Cassandra processes, beside the node that `cassandra` gives. */
export function launcherCases(cassandra: () => CassandraUnderTest): void {
  describe("launcher", () => {
    test("a folder without jars says what to run", (t) => {
      assert.throws(() => cassandraInstallation(folderOf(t)), /not installed .*scripts\/install-cassandra/);
    });

    test("a node starts with the classes that were kept when it was installed", () => {
      const { classes } = cassandraInstallation();
      const { pid } = cassandra().cluster.nodes[0] ?? {};
      assert.ok(readFileSync(`/proc/${pid}/maps`, "utf8").includes(classes), classes);
    });

    test("a node that cannot start says why", async (t) => {
      const host = cassandra().cluster.nodes[0]?.host ?? "";
      const cluster = new CassandraCluster({ hosts: [host], folder: folderOf(t) });
      t.after(() => cluster.kill());
      await assert.rejects(cluster.start(), /Cassandra on .* ended:\n(.*\n)*.*in use/);
    });

    test("a node ends with the program that started it, also when that is killed", async (t) => {
      const child = spawn(process.execPath, [...process.execArgv, LAUNCHED, folderOf(t)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const pid = await new Promise<number>((resolve) =>
        child.stdout.once("data", (text) => resolve(Number(String(text)))),
      );
      assert.ok(isAlive(pid));
      child.kill("SIGKILL");
      for (let i = 0; i < 100 && isAlive(pid); i++) await pause(50);
      assert.equal(isAlive(pid), false);
    });
  });
}
