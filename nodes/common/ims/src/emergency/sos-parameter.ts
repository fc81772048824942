const SOS = /;\s*sos\s*(?:[;>,=?]|$)/i;

/** Is this Contact that of an emergency registration, by the SIP URI parameter sos: TS 24.229 §7.2A.13? Also where the UE left out <>. */
export function isEmergencyContact(contact: string): boolean {
  if (!SOS.test(contact)) return false;
  // Neither a display name nor a user part may say so.
  const open = contact.indexOf("<", contact.startsWith('"') ? closingQuote(contact) : 0);
  const close = open < 0 ? -1 : contact.indexOf(">", open);
  const uri = close < 0 ? contact : contact.slice(open + 1, close);
  return SOS.test(uri.slice(uri.lastIndexOf("@") + 1));
}

/** Is a REGISTER with these Contacts an emergency registration (TS 24.229 §5.1.6.2)? One that mixes them with others is none. */
export function isEmergencyRegistration(contacts: readonly string[]): boolean {
  return contacts.length > 0 && contacts.every(isEmergencyContact);
}

function closingQuote(text: string): number {
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at;
  }
  return text.length;
}
