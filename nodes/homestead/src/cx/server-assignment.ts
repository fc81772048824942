import { type AnswerAvps, ResultCode } from "@ims/diameter";
import {
  cxResult,
  type Sar,
  type ServerAssignmentRequest,
  ServerAssignmentTypeValue as Type,
  UserDataAlreadyAvailableValue,
} from "@ims/diameter/cx";
import { sharedText } from "../hss/shared-text.ts";
import type { Subscriber } from "../hss/subscriber.ts";
import { userDataOf } from "../hss/user-data.ts";
import { bothIdentities, privateIdentityOnly, publicIdentityOnly, type Served, serve } from "./identities.ts";
import type { CxModules } from "./modules.ts";

type Answer = AnswerAvps<typeof Sar>;

/** Types that name several public identities only when they end a registration: TS 29.228 §6.1.2.1 step 3. */
const ENDING: ReadonlySet<number> = new Set([
  Type.TIMEOUT_DEREGISTRATION,
  Type.USER_DEREGISTRATION,
  Type.TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME,
  Type.USER_DEREGISTRATION_STORE_SERVER_NAME,
  Type.ADMINISTRATIVE_DEREGISTRATION,
  Type.DEREGISTRATION_TOO_MUCH_DATA,
]);

/** S-CSCF registration and deregistration notification: TS 29.228 §6.1.2.1. */
export function serverAssignment(
  request: ServerAssignmentRequest,
  modules: CxModules,
): Answer | Promise<Answer> {
  const { userName, publicIdentity = [], serverAssignmentType } = request;
  // 3. One public identity, unless it is a deregistration.
  if (publicIdentity.length > 1 && !ENDING.has(serverAssignmentType)) {
    return { resultCode: ResultCode.AVP_OCCURS_TOO_MANY_TIMES };
  }
  const [first] = publicIdentity;
  const { hss } = modules;
  // 1. and 2. What is named exists and belongs together.
  if (first === undefined) {
    if (userName === undefined || !ENDING.has(serverAssignmentType))
      return { resultCode: ResultCode.MISSING_AVP };
    return serve(privateIdentityOnly(hss, userName), (served) => assign(served, request, modules));
  }
  if (userName === undefined) {
    if (needsPrivateIdentity(serverAssignmentType)) return { resultCode: ResultCode.MISSING_AVP };
    return serve(publicIdentityOnly(hss, first), (served) => assign(served, request, modules));
  }
  return serve(bothIdentities(hss, userName, first), (served) => assign(served, request, modules));
}

function needsPrivateIdentity(type: number): boolean {
  return type === Type.REGISTRATION || type === Type.RE_REGISTRATION;
}

/** Step 6: by Server-Assignment-Type. */
function assign(
  { subscriber, identity }: Served,
  request: ServerAssignmentRequest,
  modules: CxModules,
): Answer {
  const { registration } = subscriber;
  const same = registration.serverName === request.serverName;
  const wildcard =
    identity.wildcard === undefined ? {} : { wildcardedPublicIdentity: identity.wildcard.text };
  switch (request.serverAssignmentType) {
    case Type.REGISTRATION:
    case Type.RE_REGISTRATION:
    case Type.UNREGISTERED_USER: {
      if (registration.serverName !== undefined && !same) {
        return { ...cxResult("ERROR_IDENTITY_ALREADY_REGISTERED"), serverName: registration.serverName };
      }
      const registers = request.serverAssignmentType !== Type.UNREGISTERED_USER;
      setServer(subscriber, request, registers ? "registered" : "unregistered", modules);
      return { ...withProfile(subscriber, request), ...wildcard };
    }
    case Type.NO_ASSIGNMENT:
      // Only the S-CSCF that serves the user may have the profile again.
      if (!same) return { resultCode: ResultCode.UNABLE_TO_COMPLY };
      return { ...withProfile(subscriber, request), ...wildcard };
    case Type.TIMEOUT_DEREGISTRATION:
    case Type.USER_DEREGISTRATION:
    case Type.ADMINISTRATIVE_DEREGISTRATION:
    case Type.DEREGISTRATION_TOO_MUCH_DATA:
      if (!same) return { resultCode: ResultCode.UNABLE_TO_COMPLY };
      clearServer(subscriber, modules);
      return success(subscriber);
    case Type.TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME:
    case Type.USER_DEREGISTRATION_STORE_SERVER_NAME:
      if (!same) return { resultCode: ResultCode.UNABLE_TO_COMPLY };
      setServer(subscriber, request, "unregistered", modules);
      return success(subscriber);
    case Type.AUTHENTICATION_FAILURE:
    case Type.AUTHENTICATION_TIMEOUT:
      if (!same) return { resultCode: ResultCode.UNABLE_TO_COMPLY };
      authenticationEnded(subscriber, modules);
      return success(subscriber);
    case Type.AAA_USER_DATA_REQUEST:
    case Type.PGW_UPDATE:
    case Type.RESTORATION:
      // Of SWx (TS 29.273); on Cx the IMS restoration feature is not offered.
      return cxResult("ERROR_IN_ASSIGNMENT_TYPE");
  }
}

function setServer(
  subscriber: Subscriber,
  request: ServerAssignmentRequest,
  state: "registered" | "unregistered",
  { hss }: CxModules,
): void {
  const { registration } = subscriber;
  const changes =
    registration.state !== state ||
    registration.authenticationPending ||
    registration.serverName !== request.serverName ||
    registration.originHost !== request.originHost ||
    registration.originRealm !== request.originRealm;
  // A re-registration changes nothing that is stored.
  if (!changes) return;
  registration.state = state;
  registration.authenticationPending = false;
  registration.serverName = sharedText(request.serverName);
  registration.originHost = sharedText(request.originHost);
  registration.originRealm = sharedText(request.originRealm);
  hss.changed(subscriber);
}

function clearServer(subscriber: Subscriber, { hss }: CxModules): void {
  const { registration } = subscriber;
  registration.state = "notRegistered";
  registration.authenticationPending = false;
  registration.serverName = undefined;
  registration.originHost = undefined;
  registration.originRealm = undefined;
  hss.changed(subscriber);
}

/** The state stays as it was before the challenge; who was not registered has no S-CSCF any more. */
function authenticationEnded(subscriber: Subscriber, modules: CxModules): void {
  if (subscriber.registration.state === "notRegistered") return clearServer(subscriber, modules);
  subscriber.registration.authenticationPending = false;
  modules.hss.changed(subscriber);
}

function success(subscriber: Subscriber): Answer {
  return { resultCode: ResultCode.SUCCESS, userName: subscriber.impi };
}

function withProfile(subscriber: Subscriber, request: ServerAssignmentRequest): Answer {
  const available =
    request.userDataAlreadyAvailable === UserDataAlreadyAvailableValue.USER_DATA_ALREADY_AVAILABLE;
  return available ? success(subscriber) : { ...success(subscriber), userData: userDataOf(subscriber) };
}
