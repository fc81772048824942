import type { RequestAvps } from "@ims/diameter";
import {
  AccountingRecordTypeValue,
  type Acr,
  ImsEmergencyIndicatorValue,
  MediaInitiatorFlagValue,
  NodeFunctionalityValue,
  RF_APPLICATION_ID,
  RoleOfNodeValue,
  SdpTypeValue,
  SubscriptionIdTypeValue,
} from "@ims/diameter/rf";
import { type ChargingEvent, emergencyService } from "@ims/ims";
import { causeCode } from "../accounting/cause-code.ts";
import type { AccountingRecord } from "../accounting/charging-session.ts";

type AcrAvps = RequestAvps<typeof Acr>;
type ServiceInformation = NonNullable<AcrAvps["serviceInformation"]>;
type ImsInformation = NonNullable<ServiceInformation["imsInformation"]>;
type MediaComponent = NonNullable<ImsInformation["sdpMediaComponent"]>[number];

/** RFC 8506 §8.42, TS 32.299 §7.1.12: the IMS. */
const SERVICE_CONTEXT = "32260@3gpp.org";
const MAX_MEDIA = 16;
const MAX_LINES = 64;

const recordTypes = {
  EVENT: AccountingRecordTypeValue.EVENT_RECORD,
  START: AccountingRecordTypeValue.START_RECORD,
  INTERIM: AccountingRecordTypeValue.INTERIM_RECORD,
  STOP: AccountingRecordTypeValue.STOP_RECORD,
} as const;

/** The ACR of an accounting record: TS 32.260 §6.1.2, TS 32.299 §6.2.2. */
export function acrOf(record: AccountingRecord, interimSeconds: number): AcrAvps {
  const { event, recordType, recordNumber } = record;
  return {
    accountingRecordType: recordTypes[recordType],
    accountingRecordNumber: recordNumber,
    acctApplicationId: RF_APPLICATION_ID,
    eventTimestamp: new Date(event.time),
    serviceContextId: SERVICE_CONTEXT,
    ...(interimSeconds > 0 && recordType !== "EVENT" ? { acctInterimInterval: interimSeconds } : {}),
    serviceInformation: { subscriptionId: subscriptionIds(event), imsInformation: imsInformation(record) },
  };
}

function imsInformation(record: AccountingRecord): ImsInformation {
  const { event } = record;
  const { origIoi, termIoi, role, method, requestedParty, contentType, contentLength } = event;
  return {
    eventType: {
      ...(method === "" ? {} : { sipMethod: method }),
      ...(event.event === undefined ? {} : { event: event.event }),
      ...(event.expires === undefined ? {} : { expires: event.expires }),
    },
    roleOfNode:
      role === undefined
        ? undefined
        : role === "originating"
          ? RoleOfNodeValue.ORIGINATING_ROLE
          : RoleOfNodeValue.TERMINATING_ROLE,
    nodeFunctionality: NodeFunctionalityValue[event.node],
    userSessionId: event.callId,
    callingPartyAddress: event.callingParty,
    calledPartyAddress: event.calledParty === "" ? undefined : event.calledParty,
    calledAssertedIdentity: event.calledAsserted,
    requestedPartyAddress: requestedParty === undefined ? undefined : [requestedParty],
    timeStamps: timeStamps(event),
    interOperatorIdentifier:
      origIoi === undefined && termIoi === undefined
        ? undefined
        : [{ originatingIoi: origIoi, terminatingIoi: termIoi }],
    imsChargingIdentifier: event.icid,
    ...media(event),
    messageBody:
      contentType === undefined || contentType.toLowerCase().startsWith("application/sdp")
        ? undefined
        : [{ contentType, contentLength: contentLength ?? 0 }],
    causeCode: causeCode(record),
    reasonHeader: event.reason,
    accessNetworkInformation: event.accessNetworkInfo,
    fromAddress: event.from,
    ...serverCapabilities(event.servers),
    ...(emergencyService(event.calledParty) === undefined
      ? {}
      : { imsEmergencyIndicator: ImsEmergencyIndicatorValue.EMERGENCY }),
    imsVisitedNetworkIdentifier: event.visitedNetwork,
  };
}

function serverCapabilities(servers: ChargingEvent["servers"]): Partial<ImsInformation> {
  if (servers === undefined) return {};
  return {
    serverCapabilities: {
      mandatoryCapability: servers.mandatory,
      optionalCapability: servers.optional,
      serverName: servers.serverNames,
    },
  };
}

/** The served user: who calls where the role is originating, else who is called. */
function subscriptionIds(event: ChargingEvent): ServiceInformation["subscriptionId"] {
  const called = event.calledAsserted ?? [event.requestedParty ?? event.calledParty];
  const served = event.role === "terminating" ? called : event.callingParty;
  return served
    .filter((uri) => uri !== "")
    .map((uri) => {
      const number = /^tel:\+([0-9.()-]+)/i.exec(uri)?.[1]?.replace(/[.()-]/g, "");
      return number === undefined
        ? { subscriptionIdType: SubscriptionIdTypeValue.END_USER_SIP_URI, subscriptionIdData: uri }
        : { subscriptionIdType: SubscriptionIdTypeValue.END_USER_E164, subscriptionIdData: number };
    });
}

function timeStamps({ requestTime, responseTime }: ChargingEvent): ImsInformation["timeStamps"] {
  if (requestTime === undefined) return undefined;
  const request = {
    sipRequestTimestamp: new Date(requestTime),
    sipRequestTimestampFraction: requestTime % 1000,
  };
  if (responseTime === undefined) return request;
  return {
    ...request,
    sipResponseTimestamp: new Date(responseTime),
    sipResponseTimestampFraction: responseTime % 1000,
  };
}

function media({ offer, answer }: ChargingEvent): Partial<ImsInformation> {
  if (offer === undefined && answer === undefined) return {};
  const offered = componentsOf(offer, "SDP_OFFER");
  const answered = componentsOf(answer, "SDP_ANSWER");
  return {
    sdpSessionDescription: [...offered.session, ...answered.session],
    sdpMediaComponent: [...offered.components, ...answered.components],
  };
}

/** The lines of a session description before its first m= line, and its media. */
function componentsOf(
  sdp: string | undefined,
  type: keyof typeof SdpTypeValue,
): { session: string[]; components: MediaComponent[] } {
  const session: string[] = [];
  const components: (MediaComponent & { sdpMediaDescription: string[] })[] = [];
  for (const line of (sdp ?? "").split(/\r?\n/)) {
    if (line === "") continue;
    if (line.startsWith("m=")) {
      if (components.length === MAX_MEDIA) break;
      components.push({
        sdpMediaName: line,
        sdpMediaDescription: [],
        mediaInitiatorFlag: MediaInitiatorFlagValue.UNKNOWN,
        sdpType: SdpTypeValue[type],
      });
      continue;
    }
    const lines = components.at(-1)?.sdpMediaDescription ?? session;
    if (lines.length < MAX_LINES) lines.push(line);
  }
  return { session, components };
}
