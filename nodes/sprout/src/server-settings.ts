import { readFileSync } from "node:fs";
import { z } from "zod";
import { SproutError } from "./errors.ts";

const settingsFile = z.record(z.string(), z.record(z.string(), z.unknown()));

/** Settings of application servers of others, by the name of the server; none of "". Throws SproutError. */
export function readServerSettings(file: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  if (file === "") return new Map();
  const fail = (problem: string, cause?: unknown): never => {
    throw new SproutError({ code: "SPROUT_SERVER_SETTINGS", file, problem }, { cause });
  };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    return fail("cannot be read", cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return fail("is not JSON", cause);
  }
  const parsed = settingsFile.safeParse(json);
  if (parsed.success) return new Map(Object.entries(parsed.data));
  const issue = parsed.error.issues[0];
  return fail(
    `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "bad value"}; an object is wanted for each server`,
  );
}
