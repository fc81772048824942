import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export type JoinTokenReading =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "bad"; readonly problem: string };

/** As the templates and etcd-cluster take it. */
const JOIN_TOKEN = /^[A-Za-z0-9._~-]{22,200}$/;
const MOST_BYTES = 1_024;

/** The one line of a file that only its owner may read. What is wrong is said without what is in it. */
export function readJoinTokenFile(file: string): JoinTokenReading {
  const bad = (problem: string): JoinTokenReading => ({
    kind: "bad",
    problem: `joinTokenFile ${file}: ${problem}`,
  });
  let handle: number | undefined;
  try {
    handle = openSync(file, "r");
    const { mode, size } = fstatSync(handle);
    if ((mode & 0o077) !== 0) return bad("may be read by others; chmod 600 it");
    const token = size > MOST_BYTES ? "" : readFileSync(handle, "utf8").trim();
    if (JOIN_TOKEN.test(token)) return { kind: "token", token };
    return bad("one line of 22 to 200 letters, digits or ._~- is expected");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return bad(code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
