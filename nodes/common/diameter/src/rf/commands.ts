import {
  AcctApplicationId,
  answerExtras,
  DestinationHost,
  DestinationRealm,
  ExperimentalResult,
  OriginHost,
  OriginRealm,
  ResultCodeAvp,
  requestExtras,
  SessionId,
  UserName,
} from "../base/avps.ts";
import { optional, required } from "../codec/avp.ts";
import { command } from "../codec/command.ts";
import {
  AccountingRecordNumber,
  AccountingRecordType,
  AcctInterimInterval,
  EventTimestamp,
  ServiceContextId,
  ServiceInformation,
} from "./avps.ts";

/** Diameter base accounting: RFC 6733 §2.4. Rf is this application, with the AVPs of TS 32.299. */
export const RF_APPLICATION_ID = 3;

const head = {
  sessionId: required(SessionId),
  originHost: required(OriginHost),
  originRealm: required(OriginRealm),
} as const;

/** Both directions say which record it is about. */
const record = {
  accountingRecordType: required(AccountingRecordType),
  accountingRecordNumber: required(AccountingRecordNumber),
  acctApplicationId: optional(AcctApplicationId),
  userName: optional(UserName),
  acctInterimInterval: optional(AcctInterimInterval),
  eventTimestamp: optional(EventTimestamp),
} as const;

/** < AC-Request > ::= < Diameter Header: 271, REQ, PXY >  (TS 32.299 §6.2.2, RFC 6733 §9.7.1) */
export const AccountingRequest = command({
  applicationId: RF_APPLICATION_ID,
  name: "ACR",
  code: 271,
  request: true,
  avps: {
    ...head,
    destinationRealm: required(DestinationRealm),
    ...record,
    destinationHost: optional(DestinationHost),
    serviceContextId: optional(ServiceContextId),
    serviceInformation: optional(ServiceInformation),
    ...requestExtras,
  },
});

/** < AC-Answer > ::= < Diameter Header: 271, PXY >  (TS 32.299 §6.2.3, RFC 6733 §9.7.2) */
export const AccountingAnswer = command({
  applicationId: RF_APPLICATION_ID,
  name: "ACA",
  code: 271,
  request: false,
  avps: {
    ...head,
    resultCode: optional(ResultCodeAvp),
    experimentalResult: optional(ExperimentalResult),
    ...record,
    ...answerExtras,
  },
});
