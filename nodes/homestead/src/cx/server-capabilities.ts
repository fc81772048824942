import type { Subscriber } from "../hss/subscriber.ts";
import type { CxOptions } from "./modules.ts";

/** The Server-Capabilities AVP. */
export type CapabilitiesAvp = {
  readonly mandatoryCapability?: readonly number[];
  readonly optionalCapability?: readonly number[];
  readonly serverName?: readonly string[];
};

/**
 * What the I-CSCF selects an S-CSCF by (TS 29.228 §6.7). Where any will do the AVP is left out: Kamailio drops an answer with an
 * empty one.
 */
export function capabilitiesOf(
  subscriber: Subscriber,
  options: CxOptions,
): { readonly serverCapabilities?: CapabilitiesAvp } {
  const { mandatory, optional, serverNames } = subscriber.services.capabilities;
  const mandatoryCapability = mandatory.length > 0 ? mandatory : options.mandatoryCapabilities;
  const optionalCapability = optional.length > 0 ? optional : options.optionalCapabilities;
  if (mandatoryCapability.length + optionalCapability.length + serverNames.length === 0) return {};
  return {
    serverCapabilities: {
      ...(mandatoryCapability.length === 0 ? {} : { mandatoryCapability }),
      ...(optionalCapability.length === 0 ? {} : { optionalCapability }),
      ...(serverNames.length === 0 ? {} : { serverName: serverNames }),
    },
  };
}
