import { nameAddr, shown, uriOf } from "../sip/header.js";

/** Who is at the other end of a request that came: as the network asserts it (RFC 3325), else as From says. */
export function callerOf(request, domain) {
  const asserted = request.values("P-Asserted-Identity").map(nameAddr);
  const from = nameAddr(request.get("From"));
  const best = asserted.find(({ uri }) => uri.startsWith("sip")) ?? asserted[0] ?? from;
  if (asserted.length === 0 && /anonymous\.invalid$/i.test(uriOf(from.uri)?.host ?? ""))
    return { uri: "", name: "Number withheld" };
  const name = best.name || from.name;
  const number = shown(best.uri, domain);
  return { uri: best.uri, name: name === "" || name === number ? number : `${name} (${number})` };
}

/** By whom a call was sent on before it came to us: History-Info (RFC 7044), or Diversion (RFC 5806). */
export function divertedBy(request, own, domain) {
  const entries = request.values("History-Info").map(nameAddr);
  const diverted = entries.filter(
    ({ uri, params }, at) =>
      at < entries.length - 1 && !own.includes(uri.split(/[;?]/)[0]) && !params.has("np"),
  );
  const causes = entries.some(({ uri }) => /[;?&](?:cause|Reason)=/i.test(uri));
  const last = causes ? diverted.at(-1) : undefined;
  const by = last ?? request.values("Diversion").map(nameAddr)[0];
  return by === undefined ? "" : shown(by.uri.split("?")[0], domain);
}

/** SIP cause of a Reason header (RFC 3326); undefined without one. */
export function causeOf(message) {
  const sip = message.values("Reason").find((value) => /^SIP\b/i.test(value));
  const cause = /;\s*cause\s*=\s*(\d{3})/i.exec(sip ?? "")?.[1];
  return cause === undefined ? undefined : Number(cause);
}
