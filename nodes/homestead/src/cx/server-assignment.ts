import { type AnswerAvps, ResultCode } from "@ims/diameter";
import {
  cxResult,
  type Sar,
  type ServerAssignmentRequest,
  ServerAssignmentTypeValue as Type,
  UserDataAlreadyAvailableValue,
} from "@ims/diameter/cx";
import { type Eventually, type Lookups, type StateChange, when } from "../hss/hss.ts";
import { sharedText } from "../hss/shared-text.ts";
import { privateIdentitiesWith } from "../hss/stored.ts";
import { isSameRegistration, notRegistered, type Registration, type Subscriber } from "../hss/subscriber.ts";
import { userDataOf } from "../hss/user-data.ts";
import {
  bothIdentities,
  type Decision,
  privateIdentityOnly,
  publicIdentityOnly,
  type Served,
  type ServedOrRefused,
  serveAndSave,
  together,
} from "./identities.ts";
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

/** S-CSCF registration and deregistration notification: TS 29.228 §6.1.2.1. `retransmitted`: the T bit. */
export function serverAssignment(
  request: ServerAssignmentRequest,
  modules: CxModules,
  retransmitted = false,
): Answer | Promise<Answer> {
  const { userName, publicIdentity = [], serverAssignmentType } = request;
  modules.servers.note(request);
  // 3. One public identity, unless it is a deregistration.
  if (publicIdentity.length > 1 && !ENDING.has(serverAssignmentType)) {
    return { resultCode: ResultCode.AVP_OCCURS_TOO_MANY_TIMES };
  }
  const [first] = publicIdentity;
  const { hss } = modules;
  const assigned = (find: (lookups: Lookups) => Eventually<ServedOrRefused>): Answer | Promise<Answer> =>
    serveAndSave(hss, userName ?? first ?? "", inAll(find, publicIdentity), (served) =>
      assign(served, request, modules, retransmitted),
    );
  // 1. and 2. What is named exists and belongs together.
  if (first === undefined) {
    if (userName === undefined || !ENDING.has(serverAssignmentType))
      return { resultCode: ResultCode.MISSING_AVP };
    return assigned((lookups) => privateIdentityOnly(lookups, userName));
  }
  if (userName === undefined) {
    if (needsPrivateIdentity(serverAssignmentType)) return { resultCode: ResultCode.MISSING_AVP };
    return assigned((lookups) => publicIdentityOnly(lookups, first));
  }
  return assigned((lookups) => bothIdentities(lookups, userName, first));
}

/** Deregistrations may name identities of several sets. */
function inAll(
  find: (lookups: Lookups) => Eventually<ServedOrRefused>,
  publicIdentities: readonly string[],
): (lookups: Lookups) => Eventually<ServedOrRefused> {
  if (publicIdentities.length < 2) return find;
  return (lookups) =>
    when(find(lookups), (found) => (found.kind === "served" ? together(found, publicIdentities) : found));
}

function needsPrivateIdentity(type: number): boolean {
  return type === Type.REGISTRATION || type === Type.RE_REGISTRATION;
}

/** Step 6: by Server-Assignment-Type. */
function assign(
  { subscriber, identity }: Served,
  request: ServerAssignmentRequest,
  modules: CxModules,
  retransmitted: boolean,
): Decision<Answer> {
  const { registration } = subscriber;
  const same = registration.serverName === request.serverName;
  const unableToComply: Decision<Answer> = { answer: { resultCode: ResultCode.UNABLE_TO_COMPLY } };
  const wildcard =
    identity.wildcard === undefined ? {} : { wildcardedPublicIdentity: identity.wildcard.text };
  switch (request.serverAssignmentType) {
    case Type.REGISTRATION:
    case Type.RE_REGISTRATION:
    case Type.UNREGISTERED_USER: {
      if (registration.serverName !== undefined && !same) {
        const serverName = registration.serverName;
        return { answer: { ...cxResult("ERROR_IDENTITY_ALREADY_REGISTERED"), serverName } };
      }
      const registers = request.serverAssignmentType !== Type.UNREGISTERED_USER;
      const answer = { ...withProfile(subscriber, request, modules), ...wildcard };
      return { answer, ...served(registration, request, registers ? "registered" : "unregistered", modules) };
    }
    case Type.NO_ASSIGNMENT:
      // Only the S-CSCF that serves the user may have the profile again.
      return same
        ? { answer: { ...withProfile(subscriber, request, modules), ...wildcard } }
        : unableToComply;
    case Type.TIMEOUT_DEREGISTRATION:
    case Type.USER_DEREGISTRATION:
    case Type.ADMINISTRATIVE_DEREGISTRATION:
    case Type.DEREGISTRATION_TOO_MUCH_DATA:
      // It is as it is to be: the answer to the first one was lost, with its homestead or because it came too late. Only a request on
      // another connection has the T bit; one of later names no other state.
      if (registration.serverName === undefined) return { answer: success(subscriber) };
      return same ? { answer: success(subscriber), change: { registration: notRegistered } } : unableToComply;
    case Type.TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME:
    case Type.USER_DEREGISTRATION_STORE_SERVER_NAME:
      if (!same) return unableToComply;
      return { answer: success(subscriber), ...served(registration, request, "unregistered", modules) };
    case Type.AUTHENTICATION_FAILURE:
    case Type.AUTHENTICATION_TIMEOUT:
      if (retransmitted && registration.serverName === undefined) return { answer: success(subscriber) };
      if (!same) return unableToComply;
      return { answer: success(subscriber), change: { registration: authenticationEnded(registration) } };
    case Type.AAA_USER_DATA_REQUEST:
    case Type.PGW_UPDATE:
    case Type.RESTORATION:
      // Of SWx (TS 29.273); on Cx the IMS restoration feature is not offered.
      return { answer: cxResult("ERROR_IN_ASSIGNMENT_TYPE") };
  }
}

/** The change that an assignment is; a re-registration changes nothing that is stored. */
function served(
  registration: Registration,
  request: ServerAssignmentRequest,
  state: "registered" | "unregistered",
  { servers }: CxModules,
): { readonly change?: StateChange } {
  const { originHost } = registration;
  const next: Registration = {
    state,
    authenticationPending: false,
    serverName: sharedText(request.serverName),
    originHost: sharedText(request.originHost),
    originRealm: sharedText(request.originRealm),
  };
  if (isSameRegistration(next, registration)) return {};
  // S-CSCFs of a pool have one name: as long as the one recorded is reached, it will do for RTR and PPR.
  if (originHost !== undefined && servers.reaches(originHost)) {
    const { originRealm } = registration;
    if (isSameRegistration({ ...next, originHost, originRealm }, registration)) return {};
  }
  return { change: { registration: next } };
}

/** The state stays as it was before the challenge; who was not registered has no S-CSCF any more. */
function authenticationEnded(registration: Registration): Registration {
  return registration.state === "notRegistered"
    ? notRegistered
    : { ...registration, authenticationPending: false };
}

function success(subscriber: Subscriber): Answer {
  const all = privateIdentitiesWith(subscriber);
  return {
    resultCode: ResultCode.SUCCESS,
    userName: subscriber.impi,
    ...(all.length > 1 ? { associatedIdentities: { userName: all } } : {}),
  };
}

/** Charging-Information: TS 29.228 Table 6.1.2.2. */
function withProfile(
  subscriber: Subscriber,
  request: ServerAssignmentRequest,
  { options }: Pick<CxModules, "options">,
): Answer {
  const [primary, secondary] = options.ccf ?? [];
  const answer: Answer = {
    ...success(subscriber),
    ...(primary === undefined
      ? {}
      : {
          chargingInformation: {
            primaryChargingCollectionFunctionName: primary,
            secondaryChargingCollectionFunctionName: secondary,
          },
        }),
  };
  const available =
    request.userDataAlreadyAvailable === UserDataAlreadyAvailableValue.USER_DATA_ALREADY_AVAILABLE;
  return available ? answer : { ...answer, userData: userDataOf(subscriber) };
}
