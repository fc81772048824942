import { readXmlDocument } from "../xml/read-xml-document.ts";
import { parseSimservs } from "./parse-simservs.ts";
import type { Simservs } from "./simservs.ts";

/** Reads the text of a simservs document; `problem` says what is wrong, and where. */
export function readSimservs(
  text: string,
):
  | { readonly kind: "simservs"; readonly simservs: Simservs }
  | { readonly kind: "wrong"; readonly problem: string } {
  const document = readXmlDocument(text);
  if (document.kind === "wrong")
    return { kind: "wrong", problem: `line ${document.line}: ${document.reason}` };
  const read = parseSimservs(document.root);
  return read.kind === "simservs" ? read : { kind: "wrong", problem: `${read.place}: ${read.reason}` };
}
