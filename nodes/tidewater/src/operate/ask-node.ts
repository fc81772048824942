import type { AskedNode } from "./running-nodes.ts";

/** What a node said, or why it said nothing. */
export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly text: string }
  | { readonly kind: "silent"; readonly problem: string };

const WITHIN_MS = 5_000;
/** Metrics of a large node and a thousand lines of its log are below this. */
const MAX_ANSWER = 16_000_000;

export interface AskRequest {
  readonly method?: "PUT" | "POST";
  readonly body?: string;
  /** Aborted: the answer is not waited for. */
  readonly signal?: AbortSignal;
}

/** One request to the management port of a node. Never rejects. */
export async function askNode(
  { url, token }: Pick<AskedNode, "url" | "token">,
  path: string,
  { signal, ...request }: AskRequest = {},
): Promise<Reply> {
  try {
    const response = await fetch(url + path, {
      ...request,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(WITHIN_MS), ...(signal === undefined ? [] : [signal])]),
    });
    return { kind: "answer", status: response.status, text: await textOf(response) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: "silent", problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MAX_ANSWER) throw new Error(`its answer is longer than ${MAX_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The JSON of an answer, or one line why there is none. */
export async function askJson(
  node: AskedNode,
  path: string,
  request: AskRequest = {},
): Promise<
  { readonly kind: "json"; readonly json: unknown } | { readonly kind: "none"; readonly problem: string }
> {
  const reply = await askNode(node, path, request);
  const none = (problem: string): { kind: "none"; problem: string } => ({
    kind: "none",
    problem: `${node.node} (${node.url}): ${problem}`,
  });
  if (reply.kind === "silent") return none(reply.problem);
  if (reply.status !== 200) return none(`${reply.status} ${reply.text.trim().slice(0, 300)}`);
  try {
    return { kind: "json", json: JSON.parse(reply.text) as unknown };
  } catch {
    return none("what answers there is no node of this release");
  }
}
