import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Fault, readYaml } from "../model/yaml-file.ts";

const membersFile = z.strictObject({
  version: z.literal(1),
  members: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
      pool: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
      management: z.url({ protocol: /^https?$/ }).describe("where /health and /metrics are"),
    }),
  ),
});

/** A member of a pool, as the element manager knows it. */
export type Member = z.output<typeof membersFile>["members"][number];

export type MembersReading =
  | { readonly kind: "members"; readonly members: readonly Member[] }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] };

/** Reads the file of members (YAML or JSON); it is read anew for each request, so members may come and go. */
export function readMembers(file: string): MembersReading {
  try {
    const read = readYaml(readFileSync(file, "utf8"), file, membersFile);
    return read.kind === "bad" ? read : { kind: "members", members: read.value.members };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const problem = code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`;
    return { kind: "bad", faults: [{ file, line: 0, at: "", problem }] };
  }
}

/** One GET of a member's management interface; undefined: it does not answer. */
export async function askMember(
  { management }: Member,
  path: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    const answer = await fetch(new URL(path, management), { signal: AbortSignal.timeout(timeoutMs) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return undefined;
  }
}
