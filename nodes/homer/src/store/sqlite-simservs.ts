import { randomUUID } from "node:crypto";
import { openDatabase } from "@ims/store";
import {
  type Simservs,
  type SimservsRemoval,
  type SimservsRepository,
  type SimservsWrite,
  UNAVAILABLE,
  type Unavailable,
} from "./simservs-repository.ts";

const MIGRATIONS = [
  "CREATE TABLE simservs (canonical TEXT PRIMARY KEY, document TEXT NOT NULL, version TEXT NOT NULL) STRICT",
];

/** Simservs documents of one homer, in a file; ":memory:" for none. Each operation is one statement. Throws StoreError. */
export function sqliteSimservs(
  path: string,
  onFailure: (error: unknown) => void,
): SimservsRepository & { close(): void } {
  const database = openDatabase(path, { migrations: MIGRATIONS, busyTimeoutMs: 10 });
  const select = database.prepare("SELECT document, version FROM simservs WHERE canonical = ?");
  const insert = database.prepare(
    "INSERT INTO simservs (canonical, document, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const update = database.prepare(
    "UPDATE simservs SET document = ?, version = ? WHERE canonical = ? AND version = ?",
  );
  const remove = database.prepare("DELETE FROM simservs WHERE canonical = ? AND version = ?");

  /** A disk that fails or another process that holds the file too long. */
  function attempt<T>(work: () => T): T | Unavailable {
    try {
      return work();
    } catch (error) {
      onFailure(error);
      return UNAVAILABLE;
    }
  }

  return {
    async find(canonical): Promise<Simservs | undefined | Unavailable> {
      return attempt(() => {
        const row = select.get(canonical);
        return row && { document: String(row["document"]), version: String(row["version"]) };
      });
    },
    async put(canonical, document, before): Promise<SimservsWrite> {
      const version = randomUUID();
      const changes = attempt(() =>
        before === undefined
          ? insert.run(canonical, document, version).changes
          : update.run(document, version, canonical, before).changes,
      );
      if (changes === UNAVAILABLE) return { kind: "unavailable" };
      return Number(changes) === 1 ? { kind: "written", version } : { kind: "overtaken" };
    },
    async remove(canonical, before): Promise<SimservsRemoval> {
      const changes = attempt(() => remove.run(canonical, before).changes);
      if (changes === UNAVAILABLE) return { kind: "unavailable" };
      return { kind: Number(changes) === 1 ? "removed" : "overtaken" };
    },
    close: () => database.close(),
  };
}
