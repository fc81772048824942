import { hash } from "node:crypto";
import { readXmlDocument, type XmlElement } from "@ims/ims";
import { type SimservsRepository, UNAVAILABLE } from "../store/simservs-repository.ts";
import { judged, SIMSERVS_NAMESPACE } from "./application-usages.ts";
import { deleteAttribute, deleteElement, type Edited, putAttribute, putElement } from "./edit.ts";
import { attributeNamed, type NodeSelector, parseNodeSelector, selectElement } from "./node-selector.ts";
import { failedPrecondition, type Preconditions } from "./preconditions.ts";
import type { XcapConflict } from "./xcap-error.ts";
import type { XcapUri } from "./xcap-uri.ts";

export type Answer =
  | { readonly kind: "content"; readonly of: Content; readonly body: string; readonly etag: string }
  | { readonly kind: "changed"; readonly created: boolean; readonly etag: string }
  | { readonly kind: "removed"; readonly etag: string | undefined }
  | { readonly kind: "notModified"; readonly etag: string }
  | { readonly kind: "notFound" }
  | { readonly kind: "preconditionFailed" }
  | { readonly kind: "wrongType"; readonly wanted: Content }
  | { readonly kind: "notAllowed" }
  | { readonly kind: "badUri"; readonly problem: string }
  | { readonly kind: "conflict"; readonly conflict: XcapConflict }
  | { readonly kind: "contention" }
  | { readonly kind: "unavailable" };

/** What is named, and with it the media type: RFC 4825 §15.2. */
export type Content = "document" | "element" | "attribute" | "namespaces";

export interface XcapRequest extends Preconditions {
  readonly uri: XcapUri;
  /** Key of the document. */
  readonly owner: string;
}

export interface XcapPut extends XcapRequest {
  /** What the Content-Type says it is; undefined: none of ours. */
  readonly content: Content | undefined;
  readonly body: string;
}

interface Current {
  readonly document: string;
  readonly etag: string;
  /** Undefined: it is the default document, and there is none of its own. */
  readonly version: string | undefined;
}

/** Each lost round means that somebody else changed the same document. */
const ROUNDS = 5;

/** The procedures of an XCAP server on simservs documents: RFC 4825 §8. A write is whole and under the version read. */
export class Documents {
  readonly #repository: SimservsRepository;
  readonly #default: Current | undefined;

  constructor(repository: SimservsRepository, defaultDocument: string | undefined) {
    this.#repository = repository;
    this.#default =
      defaultDocument === undefined
        ? undefined
        : {
            document: defaultDocument,
            etag: `"${hash("sha256", defaultDocument).slice(0, 32)}"`,
            version: undefined,
          };
  }

  async get(request: XcapRequest): Promise<Answer> {
    const current = await this.#current(request.owner);
    if (current === UNAVAILABLE) return { kind: "unavailable" };
    const selector = selectorOf(request.uri);
    if (typeof selector === "string") return { kind: "badUri", problem: selector };
    if (current === undefined) return { kind: "notFound" };
    const { etag, document } = current;
    const found = selector === undefined ? whole(document) : contentOf(parsed(document), selector);
    if (found === undefined) return { kind: "notFound" };
    const failed = failedPrecondition(request, etag);
    if (failed === "ifMatch") return { kind: "preconditionFailed" };
    return failed === "ifNoneMatch" ? { kind: "notModified", etag } : { kind: "content", ...found, etag };
  }

  async put(request: XcapPut): Promise<Answer> {
    const { uri, body } = request;
    const selector = selectorOf(uri);
    if (typeof selector === "string") return { kind: "badUri", problem: selector };
    const wanted = selector === undefined ? "document" : selector.terminal.kind;
    if (wanted === "namespaces") return { kind: "notAllowed" };
    if (request.content !== wanted) return { kind: "wrongType", wanted };
    if (selector === undefined)
      return this.#change(request, undefined, (current) => ({
        kind: "edited",
        text: body,
        created: current === undefined,
      }));
    return this.#change(request, selector, (current) => {
      if (current === undefined) return noDocument();
      const { terminal, steps } = selector;
      return terminal.kind === "attribute"
        ? putAttribute(current, steps, terminal, body)
        : putElement(current, steps, body);
    });
  }

  async delete(request: XcapRequest): Promise<Answer> {
    const selector = selectorOf(request.uri);
    if (typeof selector === "string") return { kind: "badUri", problem: selector };
    if (selector?.terminal.kind === "namespaces") return { kind: "notAllowed" };
    if (selector === undefined) return this.#remove(request);
    const answer = await this.#change(request, selector, (current) => {
      if (current === undefined) return { kind: "notFound" };
      const { terminal, steps } = selector;
      return terminal.kind === "attribute"
        ? deleteAttribute(current, steps, terminal)
        : deleteElement(current, steps);
    });
    return answer.kind === "changed" ? { kind: "removed", etag: answer.etag } : answer;
  }

  async #current(owner: string): Promise<Current | undefined | typeof UNAVAILABLE> {
    const found = await this.#repository.find(owner);
    if (found === UNAVAILABLE) return UNAVAILABLE;
    if (found === undefined) return this.#default;
    return { document: found.document, version: found.version, etag: `"${found.version}"` };
  }

  /** Reads, edits, judges and writes; again when others have written meanwhile. */
  async #change(
    request: XcapRequest,
    selector: NodeSelector | undefined,
    edit: (current: { text: string; root: XmlElement } | undefined) => Edited,
  ): Promise<Answer> {
    for (let round = 0; round < ROUNDS; round++) {
      const current = await this.#current(request.owner);
      if (current === UNAVAILABLE) return { kind: "unavailable" };
      // A whole document takes the place of one that the operator has given to everybody.
      const base = selector === undefined && current?.version === undefined ? undefined : current;
      const before = base && parsed(base.document);
      const exists = before !== undefined && contentOf(before, selector) !== undefined;
      if (failedPrecondition(request, exists ? base?.etag : undefined) !== undefined)
        return { kind: "preconditionFailed" };
      const edited = edit(before);
      if (edited.kind === "notFound") return edited;
      if (edited.kind === "conflict")
        return { kind: "conflict", conflict: withAncestor(edited, request.uri, base !== undefined) };
      const judgement = judged(edited.text);
      if (judgement.kind === "conflict") return judgement;
      const written = await this.#repository.put(request.owner, edited.text, current?.version);
      if (written.kind === "unavailable") return written;
      if (written.kind === "written")
        return { kind: "changed", created: edited.created, etag: `"${written.version}"` };
    }
    return { kind: "contention" };
  }

  async #remove(request: XcapRequest): Promise<Answer> {
    for (let round = 0; round < ROUNDS; round++) {
      const current = await this.#current(request.owner);
      if (current === UNAVAILABLE) return { kind: "unavailable" };
      if (current?.version === undefined) return { kind: "notFound" };
      if (failedPrecondition(request, current.etag) !== undefined) return { kind: "preconditionFailed" };
      const removed = await this.#repository.remove(request.owner, current.version);
      if (removed.kind === "removed") return { kind: "removed", etag: undefined };
      if (removed.kind === "unavailable") return removed;
    }
    return { kind: "contention" };
  }
}

function selectorOf({ node, bindings }: XcapUri): NodeSelector | undefined | string {
  return node === undefined ? undefined : parseNodeSelector(node, bindings, SIMSERVS_NAMESPACE);
}

function parsed(text: string): { text: string; root: XmlElement } {
  const read = readXmlDocument(text);
  // Only what was judged is stored.
  if (read.kind === "wrong") throw new Error(`a stored document cannot be read: ${read.reason}`);
  return { text, root: read.root };
}

function whole(document: string): { readonly of: Content; readonly body: string } {
  return { of: "document", body: document };
}

function contentOf(
  { text: document, root }: { readonly text: string; readonly root: XmlElement },
  selector: NodeSelector | undefined,
): { readonly of: Content; readonly body: string } | undefined {
  if (selector === undefined) return whole(document);
  const element = selectElement(root, selector.steps);
  if (element === undefined) return undefined;
  const { terminal } = selector;
  if (terminal.kind === "element") return { of: "element", body: document.slice(element.start, element.end) };
  if (terminal.kind === "namespaces") return { of: "namespaces", body: namespacesOf(element) };
  const attribute = attributeNamed(element, terminal);
  if (attribute === undefined) return undefined;
  const written = document.slice(attribute.start, attribute.end);
  return { of: "attribute", body: written.slice(written.search(/["']/) + 1, -1) };
}

/** RFC 4825 §7.10: the element alone, with the name spaces that are in scope. */
function namespacesOf({ name, bindings }: XmlElement): string {
  const declarations = [...bindings]
    .filter(([prefix]) => prefix !== "xml")
    .map(
      ([prefix, namespace]) =>
        ` xmlns${prefix === "" ? "" : `:${prefix}`}="${namespace.replace(/[&<"]/g, (char) => `&#${char.charCodeAt(0)};`)}"`,
    );
  return `<${name}${declarations.join("")}/>`;
}

function noDocument(): Edited {
  return { kind: "conflict", conflict: { element: "no-parent", phrase: "the document does not exist" } };
}

/** RFC 4825 §11.1: what a client may go on from. */
function withAncestor(
  { conflict, reached = 0 }: Extract<Edited, { kind: "conflict" }>,
  { documentPath, node }: XcapUri,
  hasDocument: boolean,
): XcapConflict {
  if (conflict.element !== "no-parent") return conflict;
  if (!hasDocument || node === undefined)
    return { ...conflict, ancestor: documentPath.slice(0, documentPath.lastIndexOf("/")) };
  const steps = node.split("/").slice(0, reached);
  const ancestor = reached === 0 ? documentPath : `${documentPath}/~~/${steps.map(encodeURI).join("/")}`;
  return { ...conflict, ancestor };
}
