import { canonicalImpu, matchesWildcard } from "@ims/ims";
import { locateUri, type SipMessage } from "@ims/sip";
import type { AccessFlow } from "./flow-table.ts";
import type { Registration } from "./registration.ts";

/** Who sent a request, and what P-Asserted-Identity says about him. */
export interface AssertedIdentity {
  readonly registration: Registration;
  readonly assertion: string;
}

/**
 * The initiator of a request on a flow: P-Preferred-Identity, then From, if it names an identity registered over this
 * flow, else the default public user identity (TS 24.229 §5.2.6.3.1). Undefined: nobody is registered over this flow,
 * or several are and the request names none of them.
 */
export function initiator(request: SipMessage, access: AccessFlow): AssertedIdentity | undefined {
  if (request.has("P-Preferred-Identity"))
    for (const preferred of request.values("P-Preferred-Identity")) {
      const found = identityOn(access, preferred);
      if (found !== undefined) return found;
    }
  const from = request.header("From");
  return (from === undefined ? undefined : identityOn(access, from)) ?? defaultIdentity(access);
}

/** The default public user identity, when one implicit registration set is all there is on the flow. */
export function defaultIdentity(access: AccessFlow): AssertedIdentity | undefined {
  return access.sole;
}

/** The same of one registration, whatever else there is on the flow. */
export function identityIn(request: SipMessage, registration: Registration): AssertedIdentity {
  for (const value of [...request.values("P-Preferred-Identity"), ...request.values("From")]) {
    const located = locateUri(value);
    const impu = located && canonicalImpu(value.slice(located.start, located.end));
    const found = impu === undefined ? undefined : registration.identity(impu);
    if (found !== undefined) return found;
  }
  return registration;
}

function identityOn(access: AccessFlow, nameAddr: string): AssertedIdentity | undefined {
  const located = locateUri(nameAddr);
  if (located === undefined) return undefined;
  const uri = nameAddr.slice(located.start, located.end);
  const exact = access.identity(uri);
  if (exact !== undefined) return exact;
  const impu = canonicalImpu(uri);
  return impu === undefined ? undefined : (access.identity(impu) ?? wildcardOn(access, impu));
}

/** TS 24.229 §5.2.6.3.1: an identity in the range of a registered wildcarded one is asserted as it is. */
function wildcardOn(access: AccessFlow, impu: string): AssertedIdentity | undefined {
  const registration = access.sole;
  if (registration === undefined) return undefined;
  for (const wildcard of registration.grants.wildcards)
    if (matchesWildcard(wildcard, impu)) return { registration, assertion: `<${impu}>` };
  return undefined;
}
