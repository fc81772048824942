/** Values of a header line, parted by commas outside of quotes and angle brackets. */
export function splitValues(line) {
  return split(line, ",");
}

/** `<uri>;params`, `"name" <uri>;params` or `uri;params` (RFC 3261 §20.10); the name is text, whatever is in it. */
export function nameAddr(value) {
  const found = /^\s*("(?:[^"\\]|\\.)*"|[^<"]*?)\s*<([^>]*)>(.*)$/s.exec(value);
  if (found === null) {
    const [uri = "", ...rest] = split(value, ";");
    return { name: "", uri, params: paramsOf(rest) };
  }
  const [, name, uri, rest] = found;
  return { name: unquoted(name), uri, params: paramsOf(split(rest, ";")) };
}

export function quoted(text) {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

export function unquoted(text) {
  const inner = /^"(.*)"$/s.exec(text.trim())?.[1];
  return inner === undefined ? text.trim() : inner.replace(/\\(.)/gs, "$1");
}

/** Parameters by name in lower case; those without a value have "". */
export function paramsOf(parts) {
  const params = new Map();
  for (const part of parts) {
    const at = part.indexOf("=");
    const name = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    if (name !== "") params.set(name, at < 0 ? "" : unquoted(part.slice(at + 1)));
  }
  return params;
}

/** A SIP URI in its parts; of a tel URI the number is the user. Undefined for anything else. */
export function uriOf(text) {
  const tel = /^tel:([^;?]+)/i.exec(text);
  if (tel !== null) return { scheme: "tel", user: tel[1], host: "", headers: new Map() };
  const found = /^(sips?):(?:([^@]*)@)?(\[[^\]]+\]|[^:;?@\s]+)(?::\d+)?(?:;([^?]*))?(?:\?(.*))?$/i.exec(text);
  if (found === null) return undefined;
  const [, scheme, user = "", host, , headers = ""] = found;
  const pairs = headers.split("&").filter((pair) => pair !== "");
  return {
    scheme: scheme.toLowerCase(),
    user: decoded(user),
    host: host.toLowerCase(),
    headers: new Map(
      pairs.map((pair) => {
        const [name, ...value] = pair.split("=");
        return [decoded(name).toLowerCase(), decoded(value.join("="))];
      }),
    ),
  };
}

/** A URI without its headers, as a Request-URI has it. */
export function withoutHeaders(uri) {
  return uri.split("?")[0];
}

/** What people call a party: the number or user for those of our domain, else user@host. */
export function shown(uri, domain) {
  const parts = uriOf(uri);
  if (parts === undefined) return uri;
  if (parts.scheme === "tel" || parts.host === domain) return parts.user || parts.host;
  return parts.user === "" ? parts.host : `${parts.user}@${parts.host}`;
}

/** The URI that somebody means who types a number, a name or an address; undefined when it can be none. */
export function targetOf(typed, domain) {
  const text = typed.trim();
  if (/^tel:/i.test(text)) return `sip:${text.slice(4).replace(/[\s().-]/g, "")}@${domain};user=phone`;
  const uri = /^sips?:/i.test(text)
    ? text
    : text.includes("@")
      ? `sip:${text}`
      : `sip:${/^[+\d\s().*#-]+$/.test(text) ? text.replace(/[\s().-]/g, "").replaceAll("#", "%23") : text}@${domain}`;
  if (!/^[\x21-\x7e]+$/.test(uri) || /[<>"]/.test(uri)) return undefined;
  const parts = uriOf(uri);
  return parts === undefined || parts.user === "" ? undefined : withoutHeaders(uri);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function split(text, by) {
  const parts = [];
  let part = "";
  let inQuotes = false;
  let inBrackets = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inQuotes && char === "\\") {
      part += char + (text[++at] ?? "");
      continue;
    }
    if (char === '"' && !inBrackets) inQuotes = !inQuotes;
    else if (char === "<" && !inQuotes) inBrackets = true;
    else if (char === ">" && !inQuotes) inBrackets = false;
    else if (char === by && !inQuotes && !inBrackets) {
      parts.push(part.trim());
      part = "";
      continue;
    }
    part += char;
  }
  parts.push(part.trim());
  return parts.filter((each) => each !== "");
}
