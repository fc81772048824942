import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

export interface PasswordSource {
  readonly password?: string;
  readonly passwordFile?: string;
  readonly passwordStdin?: boolean;
}

/** The password from where it was said to be; undefined when none was. Throws where there is none after all. */
export async function passwordOf(given: PasswordSource): Promise<string | undefined> {
  if (given.passwordStdin) return fromStandardInput();
  if (given.passwordFile === undefined) return given.password;
  const password = readFileSync(given.passwordFile, "utf8").split(/\r?\n/, 1)[0] ?? "";
  if (password === "")
    throw new Error(`${given.passwordFile}: the first line is empty; it must be the password`);
  return password;
}

/** The first line; from a terminal it is asked for and not shown. */
async function fromStandardInput(): Promise<string> {
  const terminal = process.stdin.isTTY;
  if (terminal) process.stderr.write("password (not shown): ");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal });
  lines.once("SIGINT", () => lines.close());
  const password = await new Promise<string>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  if (terminal) process.stderr.write("\n");
  if (password === "") throw new Error("no password was given on standard input");
  return password;
}
