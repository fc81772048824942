const MAX_LENGTH = 512;
const MAX_DIGITS = 32;

/**
 * Canonical form of a public user identity, the key under which it is stored and compared: TS 23.003 §13.4,
 * RFC 3261 §10.3 step 5. `sip:user@host` without parameters, headers, password; scheme and host in lower case;
 * needless escapes undone; `sips` folded into `sip` (RFC 5630 §3.1: one address of record). `tel:+digits` without
 * visual separators. Undefined when the text is neither a SIP URI nor a global tel URI.
 */
export function canonicalImpu(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const colon = text.indexOf(":");
  if (colon === 3) {
    const scheme = text.slice(0, 3);
    if (scheme === "sip" || scheme.toLowerCase() === "sip") return canonicalSip(text, 4);
    if (scheme.toLowerCase() === "tel") return canonicalTel(text.slice(4));
  } else if (colon === 4 && text.slice(0, 4).toLowerCase() === "sips") {
    return canonicalSip(text, 5);
  }
  return undefined;
}

/**
 * The tel URI a SIP URI with `user=phone` stands for, when its user part is a global number
 * (TS 24.229 §5.3.2.1: translated before the location query). Undefined otherwise.
 */
export function telOfPhoneUri(uri: string): string | undefined {
  const at = uri.indexOf("@");
  if (at < 0 || !/^sips?:\+/i.test(uri) || !/;user=phone(?:[;?]|$)/i.test(uri.slice(at))) return undefined;
  const user = uri.slice(uri.indexOf(":") + 1, at);
  const end = user.indexOf(";");
  return canonicalTel(end < 0 ? user : user.slice(0, end));
}

function canonicalSip(text: string, start: number): string | undefined {
  const at = text.indexOf("@", start);
  const hostStart = at < 0 ? start : at + 1;
  let end = text.length;
  for (let i = hostStart; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x3b || c === 0x3f) {
      end = i;
      break;
    }
    // A host is letters, digits, "-", ".", ":", "[", "]"; "_" is met in the field.
    const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    if (!letter && !(c >= 0x2d && c <= 0x3a && c !== 0x2f) && c !== 0x5b && c !== 0x5d && c !== 0x5f)
      return undefined;
  }
  if (end === hostStart) return undefined;
  const host = text.slice(hostStart, end).toLowerCase();
  if (at < 0) return `sip:${host}`;
  const user = canonicalUser(text.slice(start, at));
  return user === undefined ? undefined : `sip:${user}@${host}`;
}

function canonicalUser(userInfo: string): string | undefined {
  const password = userInfo.indexOf(":");
  const user = password < 0 ? userInfo : userInfo.slice(0, password);
  if (user === "" || !/^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+$/.test(user)) return undefined;
  if (!user.includes("%")) return user;
  if (/%(?![0-9a-f]{2})/i.test(user)) return undefined;
  // RFC 3261 §19.1.4: an escaped character equals its plain form where the plain form is allowed.
  return user.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const plain = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/.test(plain) ? plain : escaped.toUpperCase();
  });
}

function canonicalTel(rest: string): string | undefined {
  const end = rest.indexOf(";");
  const number = end < 0 ? rest : rest.slice(0, end);
  if (!/^\+[0-9().-]*[0-9][0-9().-]*$/.test(number)) return undefined;
  const digits = number.replace(/[^0-9]/g, "");
  return digits.length > MAX_DIGITS ? undefined : `tel:+${digits}`;
}
