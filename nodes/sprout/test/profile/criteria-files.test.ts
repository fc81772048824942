import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { CriteriaFiles } from "../../src/profile/criteria-files.ts";
import type { OperatorCriteria } from "../../src/scscf/filter-criteria.ts";

const ifc = (server: string): string =>
  `<InitialFilterCriteria><Priority>1</Priority><ApplicationServer><ServerName>${server}</ServerName></ApplicationServer></InitialFilterCriteria>`;
const shared = (server: string): string =>
  `<SharedIFCsSets><SharedIFCsSet><SetID>7</SetID>${ifc(server)}</SharedIFCsSet></SharedIFCsSets>`;

test("files of filter criteria are followed; one that is wrong changes nothing and is named with the place of the mistake", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "criteria-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "shared.xml");
  writeFileSync(file, shared("sip:one.example.com"));
  const clock = fakeClock();
  const changes: OperatorCriteria[] = [];
  const files = new CriteriaFiles(
    { sharedIfcFile: file, fallbackIfcFile: "" },
    { clock, log: memoryLogger() },
    (criteria) => changes.push(criteria),
  );
  t.after(() => files.stop());
  files.start();
  const nameIn = (criteria: OperatorCriteria | undefined): string | undefined =>
    criteria?.shared.get(7)?.[0]?.applicationServer.serverName;
  assert.equal(nameIn(files.initial), "sip:one.example.com");
  /** Looks until what is expected is there; the file is read in the background. */
  const until = async (fits: () => boolean): Promise<void> => {
    for (let look = 0; look < 200 && !fits(); look++) {
      await clock.advanceAsync(2_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(fits());
  };
  writeFileSync(file, shared(""));
  await until(() => files.problem !== undefined);
  assert.match(
    files.problem ?? "",
    /shared\.xml.*set 7, InitialFilterCriteria 1: MISSING_ELEMENT ServerName/,
  );
  assert.equal(changes.length, 0);
  writeFileSync(file, shared("sip:two.example.com"));
  await until(() => changes.length === 1);
  assert.equal(nameIn(changes[0]), "sip:two.example.com");
  await until(() => files.problem === undefined);
});

test("a sprout does not start with a file of filter criteria that cannot be used", () => {
  for (const path of ["/nowhere/shared.xml", import.meta.filename])
    assert.throws(
      () =>
        new CriteriaFiles(
          { sharedIfcFile: path, fallbackIfcFile: "" },
          { clock: fakeClock(), log: memoryLogger() },
          () => undefined,
        ),
      (error: Error) => error.message.includes(path),
    );
});
