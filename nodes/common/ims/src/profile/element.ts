import { escapeXml } from "./xml.ts";

/** `<name>text</name>`, or nothing. */
export function leaf(name: string, value: string | number | undefined): string {
  return value === undefined ? "" : `<${name}>${escapeXml(String(value))}</${name}>`;
}

/** `<name>content</name>`, or nothing when there is no content. */
export function wrap(name: string, content: string): string {
  return content === "" ? "" : `<${name}>${content}</${name}>`;
}
