import { rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { replaceFile } from "../pool/pools-file.ts";

/** What a running process says of itself in `--run-dir`, so that tools of this machine find its management port. */
export interface RunFile {
  readonly node: string;
  readonly pid: number;
  /** http://address:port */
  readonly management: string;
}

/** Says where the management port is. Returns what takes it back. Rejects when the folder cannot be written to. */
export async function writeRunFile(
  folder: string,
  told: { readonly node: string; readonly address: string; readonly port: number },
): Promise<() => void> {
  makeFolder(folder);
  const { node, address, port } = told;
  const near = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  const management = `http://${near.includes(":") ? `[${near}]` : near}:${port}`;
  const path = join(folder, `${node}-${process.pid}.json`);
  await replaceFile(path, `${JSON.stringify({ node, pid: process.pid, management } satisfies RunFile)}\n`);
  return () => rmSync(path, { force: true });
}
