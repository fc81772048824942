import { boundedText } from "../trail/bounded-text.ts";
import type { TrailNode } from "../trail/trail-node.ts";

const PATIENCE_MS = 5_000;
const LONGEST_ANSWER = 4_000_000;

/** JSON of the management port of a node; undefined when there is none: whoever asks goes on without. */
export async function askJson(
  node: TrailNode,
  path: string,
  token: string | undefined,
  patienceMs: number = PATIENCE_MS,
): Promise<unknown> {
  try {
    const response = await fetch(`${node.url}${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(patienceMs),
      redirect: "error",
    });
    const text = await boundedText(response, LONGEST_ANSWER);
    return response.ok && text !== undefined ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
