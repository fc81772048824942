/** As many as a node takes. */
const LONGEST = 300;

/** What cannot be a name of anybody, with what to do. */
export class KeyError extends Error {}

/**
 * What stands for a subscriber or a call: IMSI, identity, number, Call-ID or ICID. A number may be written with blanks and hyphens.
 * Throws KeyError for what can be none of these.
 */
export function keyOf(given: string): string {
  const text = given.trim();
  const advice =
    "give an IMSI, a private or public identity, a telephone number, or the Call-ID or ICID of a call";
  if (text === "") throw new KeyError(`no name: ${advice}`);
  if (text.length > LONGEST)
    throw new KeyError(`a name of ${text.length} characters, ${LONGEST} are the most: ${advice}`);
  // Without blanks or "+" it may be a Call-ID.
  if (/^\+?[0-9(][0-9 ().-]*$/.test(text) && /[+ (]/.test(text)) return text.replace(/[ ().-]/g, "");
  // RFC 3261 §25.1: a Call-ID is made of words.
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new KeyError(`a name has no blanks and nothing but ASCII characters: ${advice}`);
  return text;
}

/** Public identities that a name may stand for, the most likely first. */
export function identitiesOf(key: string, homeDomain: string | undefined): readonly string[] {
  if (/^(?:sips?|tel):/i.test(key)) return [key];
  if (key.includes("@")) return [`sip:${key}`];
  const domain = homeDomain === undefined ? [] : [`sip:${key}@${homeDomain}`];
  return /^\+?[0-9]+$/.test(key) ? [...domain, `tel:${key}`] : domain;
}
