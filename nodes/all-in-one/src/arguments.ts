/** The arguments of each node, in the order given. */
export type NodeArguments = ReadonlyMap<string, readonly string[]>;

/** Reads `sprout ARGUMENTS... -- bono ARGUMENTS...`; a text says what is wrong. */
export function nodeArgumentsOf(argv: readonly string[], known: readonly string[]): NodeArguments | string {
  const found = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const word of argv) {
    if (current === undefined) {
      if (!known.includes(word)) return `${word}: no such node; write ${known.join(" or ")}`;
      if (found.has(word)) return `${word} is there twice`;
      current = [];
      found.set(word, current);
    } else if (word === "--") current = undefined;
    else current.push(word);
  }
  if (found.size === 0) return `which nodes? write ${known.map((name) => `${name} [options]`).join(" -- ")}`;
  return found;
}
