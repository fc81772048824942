import { buildPChargingVector, type PChargingVector, parsePChargingVector } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import type { IbcfModules } from "./modules.ts";
import type { Peer } from "./peers.ts";

const MAX_VECTOR = 512;

function vectorOf(message: SipMessage): PChargingVector | undefined {
  const value = message.header("P-Charging-Vector");
  return value === undefined || value.length > MAX_VECTOR ? undefined : parsePChargingVector(value);
}

/** A request that leaves: ICID and the type 2 orig-ioi of our network, nothing of what is behind (TS 24.229 §5.10.2.2, §7.2A.5). */
export function leaveVector(request: SipMessage, peer: Peer, { ioi }: IbcfModules["settings"]): void {
  const vector = peer.trusted ? vectorOf(request) : undefined;
  if (vector === undefined) request.remove("P-Charging-Vector");
  else
    request.set(
      "P-Charging-Vector",
      buildPChargingVector({ icid: vector.icid, origIoi: vector.origIoi ?? ioi }),
    );
}

/** A request that enters: the ICID of a trusted peer goes on, another one gets one here (TS 24.229 §5.10.3.2). */
export function enterVector(
  request: SipMessage,
  peer: Peer,
  { settings, newIcid }: Pick<IbcfModules, "settings" | "newIcid">,
): void {
  const vector = (peer.trusted ? vectorOf(request) : undefined) ?? {
    icid: newIcid(),
    icidGeneratedAt: settings.icidHost,
  };
  const origIoi = vector.origIoi ?? peer.ioi;
  request.set("P-Charging-Vector", buildPChargingVector({ ...vector, origIoi, termIoi: undefined }));
}

/** An answer of a peer: what the request said, and the network that answers as term-ioi (TS 24.229 §5.10.2.2). */
export function answerOfPeer(response: SipMessage, request: SipMessage, peer: Peer): void {
  const vector = vectorOf(request);
  const termIoi = (peer.trusted ? vectorOf(response)?.termIoi : undefined) ?? peer.ioi;
  response.remove("P-Charging-Vector");
  if (vector !== undefined && response.status > 100)
    response.append("P-Charging-Vector", buildPChargingVector({ ...vector, termIoi }));
}

/** An answer of ours, for a trusted peer: ICID and both networks, nothing of what is behind. */
export function answerToPeer(response: SipMessage, peer: Peer, { ioi }: IbcfModules["settings"]): void {
  const vector = peer.trusted ? vectorOf(response) : undefined;
  response.remove("P-Charging-Vector");
  if (vector === undefined) return;
  const { icid, origIoi, termIoi = ioi } = vector;
  response.append("P-Charging-Vector", buildPChargingVector({ icid, origIoi, termIoi }));
}
