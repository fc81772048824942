import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "../command-line.ts";
import { sizesOf } from "../run/matrix.ts";
import { SHORT } from "../run/short.ts";
import { allCells, cellsFor, nameOf, notApplicable } from "./cells.ts";

test("a pattern names cells by their parts or by one word", () => {
  assert.deepEqual(cellsFor("kill/sprout/after-180").map(nameOf), ["kill/sprout/after-180"]);
  assert.equal(cellsFor("kill/sprout").length, 9);
  assert.equal(cellsFor("kill/memcached*/idle").length, 2);
  assert.equal(cellsFor("etcd").length, 45);
  assert.equal(cellsFor("*/*/*").length, allCells().length);
  assert.deepEqual(cellsFor("kill/sprou"), []);
  assert.deepEqual(cellsFor("("), []);
});

test("every cell of the short form exists and means something in the usual core", () => {
  const { options } = expectRun([]);
  const sizes = sizesOf(options);
  for (const name of SHORT.cells.split(",")) {
    const [cell] = cellsFor(name);
    assert.ok(cell !== undefined, name);
    assert.equal(notApplicable(cell, sizes, undefined), undefined, name);
  }
});

test("a cell that means nothing says why", () => {
  const sizes = sizesOf({ pools: "bono=2,sprout=2,homestead=1", stores: "memcached" });
  const why = (name: string, noNamespaces?: string): string | undefined => {
    const [cell] = cellsFor(name);
    assert.ok(cell !== undefined, name);
    return notApplicable(cell, sizes, noNamespaces);
  };
  assert.equal(why("kill/etcd/idle"), "nodes never talk to etcd");
  assert.equal(why("kill/cassandra/idle"), "this core has no cassandra");
  assert.match(why("kill/homestead/idle") ?? "", /one homestead is all of them/);
  assert.match(why("partition/sprout/idle", "needs root") ?? "", /needs root/);
  assert.equal(why("partition/sprout/idle"), undefined);
  assert.equal(why("kill/memcached-all/idle"), undefined);
});

test("options that are wrong are refused in one line, with nothing done", () => {
  for (const args of [
    ["--rounds", "0"],
    ["--rounds", "x"],
    ["--transport", "sctp"],
    ["--no-such"],
    ["extra"],
  ])
    assert.equal(commandLine(args).kind, "wrong", args.join(" "));
  assert.equal(commandLine(["--help"]).kind, "help");
  assert.deepEqual(expectRun(["--transport", "tcp", "--seed", "7"]).options.transports, ["tcp"]);
});

function expectRun(args: readonly string[]) {
  const read = commandLine(args);
  assert.ok(read.kind === "run");
  return read;
}
