import type { Trouble } from "@ims/runtime";
import type { Hop } from "./hop.ts";

/** Next hops that are out of service, for the list of alarms. `counts`: does an address still belong to us? Default: all do. */
export function hopTroubles(
  hops: Iterable<Hop>,
  counts: (address: string) => boolean = () => true,
): readonly Trouble[] {
  const troubles: Trouble[] = [];
  for (const { state, side, target } of hops)
    if (state === "down" && counts(target.address)) {
      const object = `${side} ${target.protocol} ${target.address}:${target.port}`;
      troubles.push({ object, text: "out of service: no connection, or no answer to keep-alives" });
    }
  return troubles;
}

/** Why nothing gets through to a side; undefined: some hop serves, or none has been needed yet. */
export function unreachableSide(hops: Iterable<Hop>, side: string): string | undefined {
  let down = 0;
  for (const hop of hops) {
    if (hop.side !== side) continue;
    if (hop.state !== "down") return undefined;
    down++;
  }
  return down === 0 ? undefined : `all ${down} next hops that were used are out of service`;
}
