import type { X509Certificate } from "node:crypto";

/** Whom a certificate has to name. */
export interface Expected {
  /** An IP address, as an iPAddress of subjectAltName. */
  readonly address?: string | undefined;
  /** Any of these, as dNSName or as host of a SIP URI. */
  readonly names: readonly string[];
}

/**
 * Does a certificate name whom it should? RFC 5922 §7.1 and §7.2: by its subjectAltName alone (URI of scheme sip, dNSName), without
 * wildcards; addresses by iPAddress (RFC 6125 leaves them out, RFC 3261 §26.3.1 names the host of the server, which here is one).
 */
export function isNamed(certificate: X509Certificate, { address, names }: Expected): boolean {
  if (address !== undefined && certificate.checkIP(address) !== undefined) return true;
  const uris = sipIdentities(certificate.subjectAltName);
  return names.some(
    (name) =>
      uris.has(name) || certificate.checkHost(name, { subject: "never", wildcards: false }) !== undefined,
  );
}

/** Who it names, for a log. */
export function subjectsOf(certificate: X509Certificate): string {
  return certificate.subjectAltName?.slice(0, 500) ?? "nobody";
}

/** Hosts of SIP URIs without user part (RFC 5922 §7.1 step 1). Entries with commas of their own stand in quotes. */
function sipIdentities(subjectAltName: string | undefined): ReadonlySet<string> {
  const entries = subjectAltName?.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  const hosts = entries.flatMap((entry) => /^\s*URI:sip:([a-z0-9.-]+)$/i.exec(entry)?.[1] ?? []);
  return new Set(hosts.map((host) => host.toLowerCase()));
}
