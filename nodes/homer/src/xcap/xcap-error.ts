import { escapeXml } from "@ims/ims";

/** Detailed conflicts: RFC 4825 §11.1. `ancestor`: URI of the nearest parent that exists, of no-parent alone. */
export interface XcapConflict {
  readonly element:
    | "not-well-formed"
    | "not-xml-frag"
    | "no-parent"
    | "schema-validation-error"
    | "not-xml-att-value"
    | "cannot-insert"
    | "cannot-delete"
    | "uniqueness-failure"
    | "constraint-failure"
    | "not-utf-8";
  readonly phrase: string;
  readonly ancestor?: string;
  /** URI of what is not unique, of uniqueness-failure alone. */
  readonly field?: string;
}

export const XCAP_ERROR_TYPE = "application/xcap-error+xml; charset=utf-8";

/** Body of a 409: RFC 4825 §11. */
export function xcapErrorDocument({ element, phrase, ancestor, field }: XcapConflict): string {
  const content =
    ancestor !== undefined
      ? `<ancestor>${escapeXml(ancestor)}</ancestor>`
      : element === "uniqueness-failure"
        ? `<exists field="${escapeXml(field ?? "")}"/>`
        : "";
  const open = `<${element} phrase="${escapeXml(phrase.slice(0, 500))}"`;
  const body = content === "" ? `${open}/>` : `${open}>${content}</${element}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<xcap-error xmlns="urn:ietf:params:xml:ns:xcap-error">${body}</xcap-error>\n`;
}
