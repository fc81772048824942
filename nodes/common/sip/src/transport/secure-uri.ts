import type { SecureSide } from "./secure-side.ts";

/**
 * A SIP URI of ours as others are to route to it. With transport=tls once TLS is spoken with everybody; while some peers cannot, it stays
 * with TCP: among us TLS is spoken all the same, on the same port.
 */
export function routedUri(uri: string, secure: Pick<SecureSide, "speaksTls"> | undefined): string {
  return secure?.speaksTls === true ? uri.replace(/;transport=tcp(?=[;?]|$)/i, ";transport=tls") : uri;
}
