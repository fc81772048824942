import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { EllisError } from "./errors.ts";

/** Content of a file that somebody gave us. Throws EllisError. */
export function contentOf(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new EllisError({ code: "ELLIS_FILE", option, file, problem: "cannot be read" }, { cause });
  }
}

/** The secret in a file, of at least `least` characters; a file that is missing is made, for its owner alone. Throws EllisError. */
export function secretIn(option: string, file: string, least: number): string {
  let secret: string;
  try {
    secret = readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new EllisError({ code: "ELLIS_FILE", option, file, problem: "cannot be read" }, { cause: error });
    secret = made(option, file);
  }
  if (secret.length >= least) return secret;
  throw new EllisError({
    code: "ELLIS_FILE",
    option,
    file,
    problem: `must hold at least ${least} characters`,
  });
}

/** Whole or not there; of two that make it together both go on with the same one. */
function made(option: string, file: string): string {
  const secret = randomBytes(18).toString("base64url");
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, `${secret}\n`, { mode: 0o600 });
    try {
      linkSync(temporary, file);
      return secret;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return readFileSync(file, "utf8").trim();
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (cause) {
    throw new EllisError({ code: "ELLIS_FILE", option, file, problem: "cannot be made" }, { cause });
  }
}
