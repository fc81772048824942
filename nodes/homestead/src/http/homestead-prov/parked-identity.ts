import { changedMeanwhile, HttpProblem } from "../problem.ts";
import type { RouteModules } from "../subscriber-routes.ts";
import { checkWritten, type RepositoryDoor } from "./repository-door.ts";

const ROUNDS = 5;

export type DoorModules = RouteModules & {
  readonly door: RepositoryDoor;
  /** Of SIP Digest. */
  readonly realm: string;
};

/** A private identity that was put by is one no more. Whether there was one. */
export async function removeParked(
  impi: string,
  { door, subscribers }: Pick<DoorModules, "door" | "subscribers">,
): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round++) {
    const parked = await door.parked(impi);
    if (parked === undefined) return round > 0;
    const { kind } = await subscribers.remove(parked);
    if (kind === "unavailable") checkWritten({ kind });
    if (kind === "written") return true;
  }
  throw changedMeanwhile(impi);
}

export function noPrivateIdentity(impi: string): HttpProblem {
  return new HttpProblem(
    404,
    "Unknown private identity",
    `there is no private identity ${impi.slice(0, 255)}`,
  );
}
