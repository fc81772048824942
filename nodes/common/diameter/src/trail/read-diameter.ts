import type { TrailContent, TrailReader } from "@ims/runtime";
import { type ResultAvps, resultOf } from "../base/result.ts";
import { resultCodeName } from "../base/result-codes.ts";
import { THREE_GPP } from "../codec/avp.ts";
import type { Dictionary } from "../codec/command.ts";
import { type DecodedAvps, decode } from "../codec/decode.ts";
import { HeaderFlag } from "../codec/header.ts";
import { CX_APPLICATION_ID } from "../cx/commands.ts";
import { cxResultOf } from "../cx/result-codes.ts";
import { RF_APPLICATION_ID } from "../rf/commands.ts";

/** What is shown of a message, by the keys of its command. Anything else may be a secret some day. */
const SHOWN: ReadonlySet<string> = new Set([
  ...["sessionId", "originHost", "originRealm", "destinationHost", "destinationRealm", "userName"],
  ...["resultCode", "experimentalResult", "experimentalResultCode", "vendorId", "errorMessage"],
  ...["publicIdentity", "visitedNetworkIdentifier", "userAuthorizationType", "serverName", "uarFlags"],
  ...["serverCapabilities", "mandatoryCapability", "optionalCapability", "originatingRequest"],
  ...["serverAssignmentType", "userDataAlreadyAvailable", "sipNumberAuthItems", "wildcardedPublicIdentity"],
  ...["sipAuthDataItem", "sipAuthenticationScheme", "sipItemNumber", "looseRouteIndication"],
  ...["deregistrationReason", "reasonCode", "reasonInfo", "chargingInformation"],
  ...["primaryEventChargingFunctionName", "secondaryEventChargingFunctionName"],
  ...["primaryChargingCollectionFunctionName", "secondaryChargingCollectionFunctionName"],
  ...["accountingRecordType", "accountingRecordNumber", "acctInterimInterval", "eventTimestamp"],
  ...["serviceContextId", "serviceInformation", "subscriptionId", "subscriptionIdType", "subscriptionIdData"],
  ...["imsInformation", "eventType", "sipMethod", "event", "expires", "roleOfNode", "nodeFunctionality"],
  ...["userSessionId", "outgoingSessionId", "callingPartyAddress", "calledPartyAddress"],
  ...["calledAssertedIdentity", "requestedPartyAddress", "associatedUri", "imsChargingIdentifier"],
  ...["causeCode", "imsVisitedNetworkIdentifier", "interOperatorIdentifier", "originatingIoi"],
  ...["terminatingIoi", "applicationServer", "applicationServerInformation"],
]);

/** Keys whose values are identities of users. */
const IDENTITIES = [
  ...["userName", "publicIdentity", "subscriptionIdData", "callingPartyAddress", "calledPartyAddress"],
  ...["calledAssertedIdentity", "requestedPartyAddress"],
];

/** Diameter messages of the trail, made out by the dictionary. */
export function diameterReader(dictionary: Dictionary): TrailReader {
  return {
    read(bytes): TrailContent | undefined {
      // The values that decode gives share no memory with the bytes.
      const { header, command, avps } = decode(dictionary, bytes);
      if (command === undefined) return undefined;
      const request = (header.flags & HeaderFlag.request) !== 0;
      const flat = new Map<string, unknown[]>();
      collect(avps, flat);
      const text = (key: string): string | undefined => {
        const value = flat.get(key)?.[0];
        return typeof value === "string" ? value : undefined;
      };
      const session = text("sessionId");
      const identities = IDENTITIES.flatMap((key) => flat.get(key) ?? []).filter(
        (one) => typeof one === "string",
      );
      const callId = text("userSessionId");
      const icid = text("imsChargingIdentifier");
      return {
        kind: kindOf(header.applicationId),
        title: request ? command.name : `${command.name} ${resultText(avps)}`,
        request,
        method: command.name,
        ...(request ? {} : { status: resultOf(avps as ResultAvps).code }),
        ...(callId === undefined ? {} : { callId }),
        ...(icid === undefined ? {} : { icid }),
        ...(session === undefined ? {} : { session }),
        ...(identities.length === 0 ? {} : { identities: [...new Set(identities)] }),
        message: `${command.name}|${session ?? ""}|${header.endToEnd}`,
        fields: shown(avps),
        octets: bytes.toString("base64"),
      };
    },
  };
}

function kindOf(applicationId: number): string {
  if (applicationId === CX_APPLICATION_ID) return "cx";
  return applicationId === RF_APPLICATION_ID ? "rf" : "diameter";
}

function resultText(avps: DecodedAvps): string {
  const { code, vendorId } = resultOf(avps as ResultAvps);
  const name = vendorId === THREE_GPP ? cxResultOf(avps as ResultAvps) : resultCodeName(code);
  return name === undefined || name === String(code) ? String(code) : `${code} ${name}`;
}

/** All values by key, whatever group they stand in. */
function collect(avps: object, found: Map<string, unknown[]>): void {
  for (const [key, value] of Object.entries(avps)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const one of values) {
      if (isGroup(one)) collect(one, found);
      else found.set(key, [...(found.get(key) ?? []), one]);
    }
  }
}

function shown(avps: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const hidden: string[] = [];
  for (const [key, value] of Object.entries(avps)) {
    if (key === "userData" && typeof value === "string") result[key] = profileText(value);
    else if (!SHOWN.has(key)) hidden.push(key);
    else result[key] = Array.isArray(value) ? value.map(shownValue) : shownValue(value);
  }
  if (hidden.length > 0) result["notShown"] = hidden;
  return result;
}

function shownValue(value: unknown): unknown {
  if (isGroup(value)) return shown(value);
  if (typeof value === "bigint") return value.toString();
  return value;
}

function isGroup(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date)
  );
}

/** What matters of a user profile (TS 29.228 annex E) when somebody wonders why there is no service. */
function profileText(xml: string): string {
  const count = (element: RegExp): number => xml.match(element)?.length ?? 0;
  const identities = count(/<PublicIdentity[\s>]/g);
  const criteria = count(/<InitialFilterCriteria[\s>]/g);
  return `${xml.length} characters: ${identities} public identities, ${criteria} filter criteria`;
}
