import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isAlive } from "../is-alive.ts";
import { makeFolder } from "../make-folder.ts";
import { replaceFile } from "../pool/pools-file.ts";

const runFile = z.object({
  node: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  pid: z.int().positive(),
  /** http://address:port */
  management: z.url({ protocol: /^http$/ }),
});

/** What a running process says of itself in `--run-dir`, so that tools of this machine find its management port. */
type RunFile = z.output<typeof runFile>;

/** A process that has said where its management port is. */
export interface RunningProcess {
  readonly node: string;
  readonly pid: number;
  /** http://address:port */
  readonly url: string;
  /** False: it is gone and could not say so. */
  readonly alive: boolean;
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

/** Who has said so in the folder; files that are none of these do not count. */
export function readRunFiles(folder: string): RunningProcess[] {
  return namesIn(folder).flatMap((name) => {
    try {
      const { node, pid, management } = runFile.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
      return [{ node, pid, url: new URL(management).origin, alive: isAlive(pid) }];
    } catch {
      return []; // replaced or removed at this moment, or not ours
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return []; // nothing has run here yet
  }
}
