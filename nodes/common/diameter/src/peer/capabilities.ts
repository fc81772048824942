import type { Capabilities } from "../base/commands.ts";
import { ResultCode, resultCodeName } from "../base/result-codes.ts";
import type { Application } from "../codec/command.ts";

/** Capabilities exchange: RFC 6733 §5.3. */

/** Auth-Application-Id of a relay: it takes every application (RFC 6733 §2.4). */
export const RELAY_APPLICATION_ID = 0xffffffff;

/** What this node is. */
export interface LocalNode {
  readonly originHost: string;
  readonly originRealm: string;
  readonly productName: string;
  readonly vendorId: number;
  /** Left empty: the address of the connection is announced. */
  readonly hostAddresses: readonly string[];
  readonly applications: readonly Application[];
  /** Grows with every start (RFC 6733 §8.16). */
  readonly originStateId: number;
}

/** What this node says in CER and CEA over a connection with that local address. */
export function ownCapabilities(node: LocalNode, localAddress: string): Capabilities {
  const vendors = new Set<number>();
  for (const { vendorId } of node.applications) if (vendorId !== 0) vendors.add(vendorId);
  const standard = node.applications.filter(({ vendorId }) => vendorId === 0);
  return {
    originHost: node.originHost,
    originRealm: node.originRealm,
    hostIpAddress: node.hostAddresses.length > 0 ? node.hostAddresses : [localAddress || "127.0.0.1"],
    vendorId: node.vendorId,
    productName: node.productName,
    originStateId: node.originStateId,
    supportedVendorId: [...vendors],
    authApplicationId: standard.filter(({ accounting }) => accounting !== true).map(({ id }) => id),
    acctApplicationId: standard.filter(({ accounting }) => accounting === true).map(({ id }) => id),
    vendorSpecificApplicationId: node.applications
      .filter(({ vendorId }) => vendorId !== 0)
      .map(({ vendorId, id, accounting }) =>
        accounting === true ? { vendorId, acctApplicationId: id } : { vendorId, authApplicationId: id },
      ),
  };
}

/** Who is at the other end of an open connection. */
export interface PeerIdentity {
  readonly originHost: string;
  readonly originRealm: string;
  readonly productName: string;
  readonly applicationIds: ReadonlySet<number>;
  readonly relay: boolean;
}

type Announced = Partial<Capabilities>;

/** The peer that a CER or CEA describes; undefined when it does not even say who it is. */
export function identityOf(announced: Announced): PeerIdentity | undefined {
  const { originHost, originRealm, productName = "" } = announced;
  if (originHost === undefined || originHost === "" || originRealm === undefined || originRealm === "")
    return undefined;
  const applicationIds = new Set<number>([
    ...(announced.authApplicationId ?? []),
    ...(announced.acctApplicationId ?? []),
  ]);
  for (const each of announced.vendorSpecificApplicationId ?? []) {
    if (each.authApplicationId !== undefined) applicationIds.add(each.authApplicationId);
    if (each.acctApplicationId !== undefined) applicationIds.add(each.acctApplicationId);
  }
  return {
    originHost,
    originRealm,
    productName,
    applicationIds,
    relay: applicationIds.has(RELAY_APPLICATION_ID),
  };
}

/** 2001, or why there is nothing to talk about: no application in common. */
export function capabilitiesResult(node: LocalNode, peer: PeerIdentity): ResultCode {
  const common = peer.relay || node.applications.some(({ id }) => peer.applicationIds.has(id));
  return common ? ResultCode.SUCCESS : ResultCode.NO_COMMON_APPLICATION;
}

/** Why a CEA does not open the connection; undefined: it does. `expected` is the configured Origin-Host. */
export function ceaProblem(
  node: LocalNode,
  resultCode: number | undefined,
  identity: PeerIdentity | undefined,
  expected: string | undefined,
): string | undefined {
  if (resultCode === undefined) return "CEA without Result-Code";
  if (resultCode !== ResultCode.SUCCESS) return resultCodeName(resultCode);
  if (identity === undefined) return "CEA without Origin-Host";
  const host = identity.originHost.toLowerCase();
  if (expected !== undefined && expected.toLowerCase() !== host) return `is ${host}, expected ${expected}`;
  if (host === node.originHost.toLowerCase()) return "is this node itself";
  const result = capabilitiesResult(node, identity);
  return result === ResultCode.SUCCESS ? undefined : resultCodeName(result);
}
