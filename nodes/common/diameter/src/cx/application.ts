import { THREE_GPP } from "../codec/avp.ts";
import { type Application, pair } from "../codec/command.ts";
import {
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
import { cxResultNames } from "./result-codes.ts";

/** Requests with their answers; what `DiameterNode.request` and `.handle` take. */
export const Uar = pair(UserAuthorizationRequest, UserAuthorizationAnswer);
export const Sar = pair(ServerAssignmentRequest, ServerAssignmentAnswer);
export const Lir = pair(LocationInfoRequest, LocationInfoAnswer);
export const Mar = pair(MultimediaAuthRequest, MultimediaAuthAnswer);
export const Rtr = pair(RegistrationTerminationRequest, RegistrationTerminationAnswer);
export const Ppr = pair(PushProfileRequest, PushProfileAnswer);

/** The Cx/Dx application: TS 29.228, TS 29.229. */
export const cx: Application = {
  name: "cx",
  id: CX_APPLICATION_ID,
  vendorId: THREE_GPP,
  commands: [Uar, Sar, Lir, Mar, Rtr, Ppr],
  experimentalResults: cxResultNames,
};
