export { cx, Lir, Mar, Ppr, Rtr, Sar, Uar } from "./application.ts";
export {
  OriginatingRequestValue,
  ReasonCodeValue,
  ServerAssignmentTypeValue,
  SessionPriorityValue,
  UserAuthorizationTypeValue,
  UserDataAlreadyAvailableValue,
} from "./avps.ts";
export {
  CX_APPLICATION_ID,
  LocationInfoAnswer,
  LocationInfoRequest,
  MultimediaAuthAnswer,
  MultimediaAuthRequest,
  PushProfileAnswer,
  PushProfileRequest,
  RegistrationTerminationAnswer,
  RegistrationTerminationRequest,
  ServerAssignmentAnswer,
  ServerAssignmentRequest,
  UserAuthorizationAnswer,
  UserAuthorizationRequest,
} from "./commands.ts";
export { CxResultCode, cxResult, cxResultOf } from "./result-codes.ts";
