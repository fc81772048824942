const MAX_TEXTS = 1000;
const texts = new Map<string, string>();

/**
 * The one copy of a text that very many subscribers have in common (realm, S-CSCF, its Diameter identity): a decoded
 * message gives a copy each time, and keeping those costs 150 octets a subscriber.
 */
export function sharedText(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size < MAX_TEXTS) texts.set(text, text);
  return text;
}
