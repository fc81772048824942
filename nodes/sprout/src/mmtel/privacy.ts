import { parseNameAddr, type SipMessage } from "@ims/sip";

/** RFC 3323 §4.1.1.3. */
export const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';

/** Values of Privacy: RFC 3323 §4.2, separated by ";". */
export function privacyOf(message: SipMessage): readonly string[] {
  return (message.header("Privacy") ?? "")
    .split(";")
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== "");
}

/** The caller does not want to be known: TS 24.611 §4.5.2 (ACR). */
export function isAnonymous(request: SipMessage): boolean {
  if (privacyOf(request).some((each) => each === "id" || each === "user" || each === "header")) return true;
  return isAnonymousFrom(request);
}

export function isAnonymousFrom(request: SipMessage): boolean {
  return parseNameAddr(request.header("From") ?? "")?.uri.host === "anonymous.invalid";
}

/** Takes an option tag out of Supported. */
export function withoutOption(request: SipMessage, option: string): void {
  const options = request.values("Supported");
  const left = options.filter((each) => each.toLowerCase() !== option);
  if (left.length === options.length) return;
  if (left.length === 0) request.remove("Supported");
  else request.set("Supported", left.join(", "));
}
