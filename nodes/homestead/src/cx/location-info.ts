import { type AnswerAvps, ResultCode } from "@ims/diameter";
import { cxResult, type Lir, type LocationInfoRequest, UserAuthorizationTypeValue } from "@ims/diameter/cx";
import { hasUnregisteredServices } from "../hss/subscriber.ts";
import { publicIdentityOnly, serve } from "./identities.ts";
import type { CxModules } from "./modules.ts";
import { capabilitiesOf } from "./server-capabilities.ts";

type Answer = AnswerAvps<typeof Lir>;

/** User location query: TS 29.228 §6.1.4.1. */
export function locationInfo(request: LocationInfoRequest, modules: CxModules): Answer | Promise<Answer> {
  // 1. The identity exists.
  return serve(
    publicIdentityOnly(modules.hss, request.publicIdentity),
    ({ subscriber, identity }): Answer => {
      const wildcard =
        identity.wildcard === undefined ? {} : { wildcardedPublicIdentity: identity.wildcard.text };
      // 2. Capabilities on demand: the S-CSCF that was assigned does not answer.
      if (request.userAuthorizationType === UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES) {
        return {
          resultCode: ResultCode.SUCCESS,
          ...capabilitiesOf(subscriber, modules.options),
          ...wildcard,
        };
      }
      // 3. Registered, or served unregistered: its S-CSCF.
      const { state, serverName } = subscriber.registration;
      if (state !== "notRegistered" && serverName !== undefined) {
        return { resultCode: ResultCode.SUCCESS, serverName, ...wildcard };
      }
      // Not registered: only an originating request by an AS, or a service for absent users, is worth an S-CSCF.
      if (request.originatingRequest === undefined && !hasUnregisteredServices(subscriber, identity)) {
        return cxResult("ERROR_IDENTITY_NOT_REGISTERED");
      }
      if (serverName !== undefined) return { ...cxResult("UNREGISTERED_SERVICE"), serverName, ...wildcard };
      return {
        ...cxResult("UNREGISTERED_SERVICE"),
        ...capabilitiesOf(subscriber, modules.options),
        ...wildcard,
      };
    },
  );
}
