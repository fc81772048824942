/** Classes of RFC 3261 §25.1 as bits of a table: one look a character instead of an expression a value. */
export const TOKEN = 1;
/** user of a SIP URI, "%" apart. */
export const USER = 2;
/** Letters, digits, "-" and "_" of a host name. */
export const HOST = 4;
/** May stand in a URI at all: neither space nor control. */
export const PRINTABLE = 8;

const classes = new Uint8Array(256);

function mark(bit: number, characters: string): void {
  for (let at = 0; at < characters.length; at++) {
    const code = characters.charCodeAt(at);
    classes[code] = (classes[code] ?? 0) | bit;
  }
}

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
mark(TOKEN, `${ALPHANUMERIC}-.!%*_+\`'~`);
mark(USER, `${ALPHANUMERIC}-_.!~*'()&=+$,;?/`);
mark(HOST, `${ALPHANUMERIC}-_`);
for (let code = 0x21; code <= 0xff; code++)
  if (code !== 0x7f) classes[code] = (classes[code] ?? 0) | PRINTABLE;

/** Is every character of text[start, end) of that class? True for none. */
export function allOf(bit: number, text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (((classes[text.charCodeAt(at)] ?? 0) & bit) === 0) return false;
  return true;
}

export function isOf(bit: number, code: number): boolean {
  return ((classes[code] ?? 0) & bit) !== 0;
}

/** text[start, end) in lower case; without a call where it is already. */
export function lowerCase(text: string, start: number, end: number): string {
  const part = text.slice(start, end);
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if ((code >= 0x41 && code <= 0x5a) || code >= 0x80) return part.toLowerCase();
  }
  return part;
}

/** Space, tab and line ends: what may surround a token (RFC 3261 §25.1 SWS, LWS). */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
