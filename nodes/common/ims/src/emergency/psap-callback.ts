/** Does the header field Priority mark a call back by a PSAP: RFC 7090 §5? */
export function isPsapCallback(priority: string | undefined): boolean {
  return priority !== undefined && priority.trim().toLowerCase() === "psap-callback";
}
