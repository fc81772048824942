/** What an XCAP URI names: RFC 4825 §6. */
export interface XcapUri {
  /** Application unique id, the first step below the root. */
  readonly auid: string;
  readonly tree: "users" | "global";
  /** XCAP user identifier; "" in the global tree. */
  readonly xui: string;
  readonly documentName: string;
  /** Node selector, percent-decoded; undefined: the whole document. */
  readonly node: string | undefined;
  /** The document as written in the URI. */
  readonly documentPath: string;
  /** Prefixes of the node selector: xmlns() expressions of the query (RFC 4825 §6.4). */
  readonly bindings: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 4_096;

/** Reads path and query as they stand in the request line; a text says what is wrong. */
export function parseXcapUri(target: string): XcapUri | string {
  if (target.length > MAX_LENGTH) return `the URI is longer than ${MAX_LENGTH} characters`;
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  const separator = path.indexOf("/~~");
  const documentPath = separator < 0 ? path : path.slice(0, separator);
  const steps = documentPath.slice(1).split("/").map(decoded);
  if (steps.some((step) => step === undefined || step === ""))
    return "the document selector has an empty or malformed step";
  const [auid = "", tree = "", ...rest] = steps as string[];
  if (tree !== "users" && tree !== "global") return "the second step has to be users or global";
  const [xui = "", ...names] = tree === "users" ? rest : ["", ...rest];
  const [documentName, more] = names;
  if (documentName === undefined || more !== undefined)
    return "the document selector has to end with one document name";
  let node: string | undefined;
  if (separator >= 0) {
    node = path.charAt(separator + 3) === "/" ? decoded(path.slice(separator + 4)) : undefined;
    if (node === undefined || node === "") return "behind ~~ a node selector has to follow";
  }
  const bindings = question < 0 ? new Map<string, string>() : bindingsOf(target.slice(question + 1));
  if (typeof bindings === "string") return bindings;
  return { auid, tree, xui, documentName, node, documentPath, bindings };
}

const XMLNS = /\s*xmlns\(\s*([A-Za-z_][\w.-]*)\s*=\s*([^()]*?)\s*\)\s*/y;

/** XPointer's xmlns() scheme; "^" escapes a parenthesis. */
function bindingsOf(query: string): ReadonlyMap<string, string> | string {
  const text = decoded(query.replace(/\+/g, "%2B"));
  const bindings = new Map<string, string>();
  if (text === undefined) return "the query is malformed";
  for (let at = 0; at < text.length; at = XMLNS.lastIndex) {
    XMLNS.lastIndex = at;
    const [, prefix, namespace] = XMLNS.exec(text) ?? [];
    if (prefix === undefined || namespace === undefined || bindings.size >= 32)
      return "the query has to be a list of xmlns(prefix=name space)";
    bindings.set(prefix, namespace);
  }
  return bindings;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
