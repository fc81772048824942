const SOS = "urn:service:sos";
/** One "." and one label: RFC 5031 §3. */
const LABEL = /\.([a-z0-9](?:[a-z0-9-]{0,24}[a-z0-9])?)(?=\.|$)/y;
/** More labels than any service has. */
const MAX_LABELS = 8;

/**
 * The emergency service that a Request-URI asks for, in lower case: RFC 5031, TS 24.229 §5.2.10. What follows a label that is none
 * is left out: nobody in need is refused for it. Undefined: it is no emergency.
 */
export function emergencyService(uri: string): string | undefined {
  const head = uri.slice(0, SOS.length);
  if (head !== SOS && head.toLowerCase() !== SOS) return undefined;
  const next = uri.charCodeAt(SOS.length);
  // The end, ".", or what RFC 8141 lets follow a name: ";" of parameters met in the field, "?" and "#".
  if (!Number.isNaN(next) && next !== 0x2e && next !== 0x3b && next !== 0x3f && next !== 0x23)
    return undefined;
  // 8 labels of 26 characters and their dots.
  const rest = (/^[^;?#]*/.exec(uri.slice(SOS.length, SOS.length + 256))?.[0] ?? "").toLowerCase();
  let end = 0;
  LABEL.lastIndex = 0;
  for (let labels = 0; labels < MAX_LABELS && LABEL.test(rest); labels++) end = LABEL.lastIndex;
  return SOS + rest.slice(0, end);
}

/** A service and those that it is a part of, down to urn:service:sos: RFC 5031 §4.2. */
export function widerServices(service: string): readonly string[] {
  const services: string[] = [];
  for (let at = service.length; at >= SOS.length; at = service.lastIndexOf(".", at - 1)) {
    services.push(service.slice(0, at));
    if (at === SOS.length) break;
  }
  return services;
}
