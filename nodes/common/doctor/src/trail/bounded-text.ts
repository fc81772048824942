/** The body of an answer; undefined when it is longer than so many bytes: what else comes is not read. */
export async function boundedText(response: Response, longest: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > longest) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
