import { type DiameterNode, type Outcome, type Result, ResultCode } from "@ims/diameter";
import {
  CxResultCode,
  cxResult,
  Lir,
  Mar,
  OriginatingRequestValue,
  Ppr,
  ReasonCodeValue,
  Rtr,
  Sar,
  ServerAssignmentTypeValue,
  Uar,
  UserAuthorizationTypeValue,
  UserDataAlreadyAvailableValue,
} from "@ims/diameter/cx";
import { vectorOf } from "./authentication-vector.ts";
import type {
  AuthenticationScheme,
  ChargingAddresses,
  Cx,
  CxRejected,
  CxRequestResult,
  CxRequests,
  CxUnavailable,
  ServerOutcome,
  TerminationReason,
} from "./cx.ts";

export interface DiameterCxOptions {
  /** Realm of the HSS. */
  readonly realm: string;
  /** Origin-Host of the HSS; without it the realm finds one. */
  readonly host?: string | undefined;
  /** For one try, ms. */
  readonly timeoutMs: number;
}

/** Cx over Diameter: TS 29.229. */
export class DiameterCx implements Cx {
  readonly #node: DiameterNode;
  readonly #to: {
    readonly destinationRealm: string;
    readonly destinationHost: string | undefined;
    readonly timeoutMs: number;
  };

  constructor(node: DiameterNode, options: DiameterCxOptions) {
    this.#node = node;
    this.#to = {
      destinationRealm: options.realm,
      destinationHost: options.host,
      timeoutMs: options.timeoutMs,
    };
  }

  async userAuthorization(
    query: Parameters<Cx["userAuthorization"]>[0],
  ): ReturnType<Cx["userAuthorization"]> {
    const outcome = await this.#node.request(
      Uar,
      {
        userName: query.impi,
        publicIdentity: query.impu,
        visitedNetworkIdentifier: query.visitedNetwork,
        userAuthorizationType: authorizationType[query.type],
        ...(query.emergency === true ? { uarFlags: 1 } : {}),
      },
      this.#to,
    );
    if (outcome.kind !== "answer") return unavailable(outcome);
    if (!succeeded(outcome.result)) return refused(outcome.result);
    return serverOf(outcome.avps);
  }

  async multimediaAuth(query: Parameters<Cx["multimediaAuth"]>[0]): ReturnType<Cx["multimediaAuth"]> {
    const outcome = await this.#node.request(
      Mar,
      {
        userName: query.impi,
        publicIdentity: query.impu,
        serverName: query.serverName,
        sipNumberAuthItems: 1,
        sipAuthDataItem: {
          sipAuthenticationScheme: schemeName[query.scheme],
          ...(query.resynchronisation === undefined ? {} : { sipAuthorization: query.resynchronisation }),
        },
      },
      this.#to,
    );
    if (outcome.kind !== "answer") return unavailable(outcome);
    if (!succeeded(outcome.result)) return refused(outcome.result);
    const vector = vectorOf(outcome.avps.sipAuthDataItem?.[0]);
    return vector === undefined
      ? { kind: "unavailable", cause: "MAA without a usable authentication vector" }
      : { kind: "vector", vector };
  }

  async serverAssignment(query: Parameters<Cx["serverAssignment"]>[0]): ReturnType<Cx["serverAssignment"]> {
    const { USER_DATA_ALREADY_AVAILABLE, USER_DATA_NOT_AVAILABLE } = UserDataAlreadyAvailableValue;
    const outcome = await this.#node.request(
      Sar,
      {
        ...(query.impi === undefined ? {} : { userName: query.impi }),
        ...(query.impus.length === 0 ? {} : { publicIdentity: query.impus }),
        ...(query.wildcard === undefined ? {} : { wildcardedPublicIdentity: query.wildcard }),
        serverName: query.serverName,
        serverAssignmentType: ServerAssignmentTypeValue[query.type],
        userDataAlreadyAvailable: query.profileKnown ? USER_DATA_ALREADY_AVAILABLE : USER_DATA_NOT_AVAILABLE,
      },
      this.#to,
    );
    if (outcome.kind !== "answer") return unavailable(outcome);
    if (!succeeded(outcome.result)) return refused(outcome.result);
    const { userData, chargingInformation, associatedIdentities, wildcardedPublicIdentity } = outcome.avps;
    return {
      kind: "assigned",
      profileXml: userData,
      charging: chargingOf(chargingInformation),
      impis: associatedIdentities?.userName ?? [],
      wildcard: wildcardedPublicIdentity,
    };
  }

  async locationInfo(query: Parameters<Cx["locationInfo"]>[0]): ReturnType<Cx["locationInfo"]> {
    const outcome = await this.#node.request(
      Lir,
      {
        publicIdentity: query.impu,
        ...(query.originating ? { originatingRequest: OriginatingRequestValue.ORIGINATING } : {}),
        ...(query.capabilities === true
          ? { userAuthorizationType: UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES }
          : {}),
      },
      this.#to,
    );
    if (outcome.kind !== "answer") return unavailable(outcome);
    if (!succeeded(outcome.result)) return refused(outcome.result);
    return { ...serverOf(outcome.avps), wildcard: outcome.avps.wildcardedPublicIdentity };
  }
}

/** Answers RTR and PPR of the HSS. */
export function handleCxRequests(node: DiameterNode, requests: CxRequests): void {
  node.handle(Rtr, async ({ avps }) => {
    const result = await requests.registrationTermination({
      reason: reasonOf.get(avps.deregistrationReason.reasonCode) ?? "PERMANENT_TERMINATION",
      reasonInfo: avps.deregistrationReason.reasonInfo,
      impi: avps.userName,
      associatedImpis: avps.associatedIdentities?.userName ?? [],
      impus: avps.publicIdentity ?? [],
    });
    if (typeof result === "string") return resultAvps(result);
    return {
      resultCode: ResultCode.SUCCESS,
      identityWithEmergencyRegistration: result.kept.map(({ impi, impu }) => ({
        userName: impi,
        publicIdentity: impu,
      })),
    };
  });
  node.handle(Ppr, async ({ avps }) => {
    const result = await requests.pushProfile({
      impi: avps.userName,
      profileXml: avps.userData,
      charging: chargingOf(avps.chargingInformation),
    });
    return resultAvps(result);
  });
}

const authorizationType = {
  registration: UserAuthorizationTypeValue.REGISTRATION,
  deregistration: UserAuthorizationTypeValue.DE_REGISTRATION,
  registrationAndCapabilities: UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES,
} as const;

/** SIP-Authentication-Scheme: TS 29.229 §6.3.9, TS 33.203. */
const schemeName: Readonly<Record<AuthenticationScheme, string>> = {
  sipDigest: "SIP Digest",
  akav1: "Digest-AKAv1-MD5",
  akav2: "Digest-AKAv2-MD5",
  unknown: "Unknown",
};

const reasonOf: ReadonlyMap<number, TerminationReason> = new Map([
  [ReasonCodeValue.PERMANENT_TERMINATION, "PERMANENT_TERMINATION"],
  [ReasonCodeValue.NEW_SERVER_ASSIGNED, "NEW_SERVER_ASSIGNED"],
  [ReasonCodeValue.SERVER_CHANGE, "SERVER_CHANGE"],
  [ReasonCodeValue.REMOVE_S_CSCF, "REMOVE_SCSCF"],
]);

function unavailable(outcome: Exclude<Outcome<typeof Uar>, { kind: "answer" }>): CxUnavailable {
  return { kind: "unavailable", cause: outcome.kind === "timeout" ? "timeout" : outcome.cause };
}

function succeeded({ code }: Result): boolean {
  return code >= 2000 && code < 3000;
}

/** What procedures tell apart is a rejection; protocol errors and overload say nothing of the user. */
function refused({ code, vendorId }: Result): CxRejected | CxUnavailable {
  if (vendorId === 0) {
    if (code === ResultCode.AUTHORIZATION_REJECTED)
      return { kind: "rejected", reason: "authorizationRejected" };
    if (code === ResultCode.TOO_BUSY)
      return { kind: "unavailable", cause: "DIAMETER_TOO_BUSY", answered: true, busy: true };
    return code >= 5000 && code !== ResultCode.UNABLE_TO_COMPLY
      ? { kind: "rejected", reason: "other" }
      : { kind: "unavailable", cause: `Result-Code ${code}`, answered: true };
  }
  return { kind: "rejected", reason: reasons.get(code) ?? "other" };
}

const reasons: ReadonlyMap<number, CxRejected["reason"]> = new Map([
  [CxResultCode.ERROR_USER_UNKNOWN, "userUnknown"],
  [CxResultCode.ERROR_IDENTITIES_DONT_MATCH, "identitiesDontMatch"],
  [CxResultCode.ERROR_IDENTITY_NOT_REGISTERED, "identityNotRegistered"],
  [CxResultCode.ERROR_ROAMING_NOT_ALLOWED, "roamingNotAllowed"],
  [CxResultCode.ERROR_IDENTITY_ALREADY_REGISTERED, "identityAlreadyRegistered"],
  [CxResultCode.ERROR_AUTH_SCHEME_NOT_SUPPORTED, "authSchemeNotSupported"],
  [CxResultCode.ERROR_IN_ASSIGNMENT_TYPE, "inAssignmentType"],
]);

/** No name and no capabilities: any S-CSCF will do (TS 29.228 §6.7). */
function serverOf(avps: {
  readonly serverName?: string | undefined;
  readonly serverCapabilities?:
    | {
        readonly mandatoryCapability?: readonly number[] | undefined;
        readonly optionalCapability?: readonly number[] | undefined;
        readonly serverName?: readonly string[] | undefined;
      }
    | undefined;
}): ServerOutcome {
  if (avps.serverName !== undefined) return { kind: "server", name: avps.serverName };
  const {
    mandatoryCapability = [],
    optionalCapability = [],
    serverName = [],
  } = avps.serverCapabilities ?? {};
  return {
    kind: "capabilities",
    capabilities: { mandatory: mandatoryCapability, optional: optionalCapability, serverNames: serverName },
  };
}

function chargingOf(
  information:
    | {
        readonly primaryEventChargingFunctionName?: string | undefined;
        readonly secondaryEventChargingFunctionName?: string | undefined;
        readonly primaryChargingCollectionFunctionName?: string | undefined;
        readonly secondaryChargingCollectionFunctionName?: string | undefined;
      }
    | undefined,
): ChargingAddresses | undefined {
  if (information === undefined) return undefined;
  const present = (names: readonly (string | undefined)[]): string[] =>
    names.filter((name) => name !== undefined && !/[\x00-\x1f\x7f"]/.test(name)) as string[];
  return {
    ecf: present([
      information.primaryEventChargingFunctionName,
      information.secondaryEventChargingFunctionName,
    ]),
    ccf: present([
      information.primaryChargingCollectionFunctionName,
      information.secondaryChargingCollectionFunctionName,
    ]),
  };
}

function resultAvps(result: CxRequestResult): { readonly resultCode: number } | ReturnType<typeof cxResult> {
  switch (result) {
    case "success":
      return { resultCode: ResultCode.SUCCESS };
    case "unknownUser":
      return cxResult("ERROR_USER_UNKNOWN");
    case "notSupportedUserData":
      return cxResult("ERROR_NOT_SUPPORTED_USER_DATA");
    case "unavailable":
      return { resultCode: ResultCode.UNABLE_TO_COMPLY };
  }
}
