/** Message text as it stands on the wire: how the torture messages are written down in this folder. */

/**
 * A SIP message in latin1 (one char, one byte). The line ends of the template become CRLF and what is not ASCII becomes
 * its UTF-8 bytes; a backslash is a backslash. Inserted values are taken as they are. The first line end is not part of it.
 */
export function sip(template: TemplateStringsArray, ...values: readonly string[]): string {
  let text = "";
  template.raw.forEach((piece, index) => {
    const lines = index === 0 && piece.startsWith("\n") ? piece.slice(1) : piece;
    text += utf8(lines.replaceAll("\n", "\r\n")) + (values[index] ?? "");
  });
  return text;
}

/** The UTF-8 bytes of a text, one char each. */
export function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function times(count: number, text: string): string {
  return text.repeat(count);
}
