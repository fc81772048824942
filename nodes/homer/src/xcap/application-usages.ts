import { parseSimservs, readXmlDocument, SIMSERVS_NAMESPACE, type XmlElement } from "@ims/ims";
import type { XcapConflict } from "./xcap-error.ts";

/** AUID of simservs (TS 24.623), and the one of its first drafts, which tools around Clearwater still use. */
const SIMSERVS = "simservs.ngn.etsi.org";
const SIMSERVS_OF_DRAFTS = "org.etsi.ngn.simservs";
const CAPABILITIES = "xcap-caps";

/** TS 24.623. */
export const SIMSERVS_TYPE = "application/vnd.etsi.simservs+xml";
/** The one document of a user. */
export const SIMSERVS_NAME = "simservs.xml";
/** RFC 4825 §12.1. */
export const CAPABILITIES_TYPE = "application/xcap-caps+xml";
export { SIMSERVS_NAMESPACE };

export type ApplicationUsage = "simservs" | "capabilities";

export function applicationUsage(auid: string): ApplicationUsage | undefined {
  if (auid === SIMSERVS || auid === SIMSERVS_OF_DRAFTS) return "simservs";
  return auid === CAPABILITIES ? "capabilities" : undefined;
}

/** RFC 4825 §12. */
export const CAPABILITIES_DOCUMENT = `<?xml version="1.0" encoding="UTF-8"?>
<xcap-caps xmlns="urn:ietf:params:xml:ns:xcap-caps">
  <auids>
    <auid>${CAPABILITIES}</auid>
    <auid>${SIMSERVS}</auid>
    <auid>${SIMSERVS_OF_DRAFTS}</auid>
  </auids>
  <extensions/>
  <namespaces>
    <namespace>urn:ietf:params:xml:ns:xcap-caps</namespace>
    <namespace>urn:ietf:params:xml:ns:xcap-error</namespace>
    <namespace>urn:ietf:params:xml:ns:common-policy</namespace>
    <namespace>${SIMSERVS_NAMESPACE}</namespace>
  </namespaces>
</xcap-caps>
`;

/** A simservs document that may be stored, or why not (RFC 4825 §8.2.5). */
export function judged(
  text: string,
):
  | { readonly kind: "document"; readonly root: XmlElement }
  | { readonly kind: "conflict"; readonly conflict: XcapConflict } {
  const read = readXmlDocument(text);
  if (read.kind === "wrong") {
    const element =
      read.fault === "NOT_UTF8"
        ? "not-utf-8"
        : read.fault === "NOT_WELL_FORMED"
          ? "not-well-formed"
          : "constraint-failure";
    return { kind: "conflict", conflict: { element, phrase: `line ${read.line}: ${read.reason}` } };
  }
  const result = parseSimservs(read.root);
  if (result.kind === "simservs") return { kind: "document", root: read.root };
  const { fault, reason, place } = result;
  return { kind: "conflict", conflict: { element: fault, phrase: `${place}: ${reason}`, field: place } };
}
