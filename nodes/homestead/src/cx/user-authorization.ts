import { type AnswerAvps, ResultCode } from "@ims/diameter";
import {
  cxResult,
  type Uar,
  type UserAuthorizationRequest,
  UserAuthorizationTypeValue,
} from "@ims/diameter/cx";
import { isWhollyBarred, type Subscriber } from "../hss/subscriber.ts";
import { bothIdentities, serve } from "./identities.ts";
import type { CxModules } from "./modules.ts";
import { capabilitiesOf } from "./server-capabilities.ts";

type Answer = AnswerAvps<typeof Uar>;

/** Bit 0 of UAR-Flags: IMS emergency registration (TS 29.229 §6.3.44). */
const EMERGENCY = 1;

/** User registration status query: TS 29.228 §6.1.1.1. */
export function userAuthorization(
  request: UserAuthorizationRequest,
  modules: CxModules,
): Answer | Promise<Answer> {
  // 1. and 2. The identities exist and belong together.
  return serve(
    bothIdentities(modules.hss, request.userName, request.publicIdentity),
    ({ subscriber }): Answer => {
      const emergency = ((request.uarFlags ?? 0) & EMERGENCY) !== 0;
      // 3. Barring: the set must hold an identity that is not barred. An emergency passes.
      if (isWhollyBarred(subscriber) && !emergency) return { resultCode: ResultCode.AUTHORIZATION_REJECTED };
      // 4. What it is for.
      const type = request.userAuthorizationType ?? UserAuthorizationTypeValue.REGISTRATION;
      if (type === UserAuthorizationTypeValue.DE_REGISTRATION) return deregistration(subscriber);
      if (!emergency && !mayRoam(request.visitedNetworkIdentifier, modules)) {
        return cxResult("ERROR_ROAMING_NOT_ALLOWED");
      }
      if (type === UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES) {
        return {
          resultCode: ResultCode.SUCCESS,
          ...capabilitiesOf(subscriber, modules.options),
        };
      }
      // 5. The state of the set.
      const { serverName } = subscriber.registration;
      if (serverName !== undefined) return { ...cxResult("SUBSEQUENT_REGISTRATION"), serverName };
      return {
        ...cxResult("FIRST_REGISTRATION"),
        ...capabilitiesOf(subscriber, modules.options),
      };
    },
  );
}

function deregistration({ registration }: Subscriber): Answer {
  if (registration.state === "notRegistered" || registration.serverName === undefined) {
    return cxResult("ERROR_IDENTITY_NOT_REGISTERED");
  }
  return { resultCode: ResultCode.SUCCESS, serverName: registration.serverName };
}

function mayRoam(visitedNetwork: string, { options }: CxModules): boolean {
  const allowed = options.allowedVisitedNetworks;
  return allowed.length === 0 || allowed.includes(visitedNetwork.toLowerCase());
}
