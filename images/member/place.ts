import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Places, put } from "./files.ts";
import type { Member } from "./member-file.ts";

/** Where Nova has put the server, as cloud-init read it from the config drive. */
const instanceSchema = z.object({
  v1: z.object({ availability_zone: z.string().regex(/^[A-Za-z0-9._:-]{1,63}$/) }),
});

/** Tells the nodes of this machine where it is: what they show of it, they say themselves. */
export function writePlace({ cell }: Member, places: Places): void {
  const zone = zoneIn(places.instanceData);
  const told = [`--cell ${cell}`, ...(zone === undefined ? [] : [`--zone ${zone}`])];
  put(`${places.run}/place.env`, `PLACE=${told.join(" ")}\n`);
}

/** Undefined: cloud-init does not say, or says what no zone is called. */
function zoneIn(path: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
  return instanceSchema.safeParse(json).data?.v1.availability_zone;
}
