import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const HEAT_FOLDER = join(import.meta.dirname, "../../heat-templates");

/** All files of heat-templates/ that belong to a stack, by path. */
export function heatFiles(): Map<string, string> {
  return new Map(
    globSync(["*.yaml", "nested/*", "user-data/*", "environments/*"], { cwd: HEAT_FOLDER })
      .sort()
      .map((file) => [file, readFileSync(join(HEAT_FOLDER, file), "utf8")]),
  );
}
