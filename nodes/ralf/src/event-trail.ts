import type { ChargingEvent } from "@ims/ims";
import type { Trail } from "@ims/runtime";

/** Tells the trail of a charging event of another node: what comes of it stands in the accounting requests. */
export function noteEvent(trail: Trail, event: ChargingEvent): void {
  const { kind, node, nodeAddress, role, callId, method, status, callingParty, calledParty, icid } = event;
  trail.note({
    kind: "charging",
    callId,
    what: kind,
    identities: [...callingParty, calledParty].filter((one) => one !== ""),
    fields: { node, nodeAddress, role, method, status, icid },
  });
}
