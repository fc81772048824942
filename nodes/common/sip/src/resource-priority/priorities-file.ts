import { readFileSync } from "node:fs";
import { parseResourcePriorities, ResourcePriorities } from "./resource-priorities.ts";

/** Resource priorities (RFC 4412) of an operator's file; "": the standard ones. Throws what `fault` makes of a problem with the file. */
export function readResourcePriorities(
  file: string,
  fault: (problem: string, cause?: unknown) => Error,
): ResourcePriorities {
  if (file === "") return new ResourcePriorities();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw fault("cannot be read", cause);
  }
  const read = parseResourcePriorities(text);
  if (read.kind === "bad") throw fault(read.problem);
  return read.priorities;
}
