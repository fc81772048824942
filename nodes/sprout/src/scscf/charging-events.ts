import type { ChargedRequest, ChargingRole, ChargingTriggers } from "@ims/ims";
import type { RequestContext, SipMessage } from "@ims/sip";
import type { ChargingAddresses } from "../cx/cx.ts";

/** Charging events of the S-CSCF (TS 32.260 §5.2.2.1): looks on; no procedure depends on it. */
export class ScscfCharging {
  readonly #triggers: ChargingTriggers;
  readonly #charged = new WeakMap<SipMessage, ChargedRequest>();

  constructor(triggers: ChargingTriggers) {
    this.#triggers = triggers;
  }

  /** A request outside a dialog; its answers are seen as they leave. */
  initial(context: RequestContext, role: ChargingRole): void {
    this.#watch(context, this.#triggers.initial(context.request, role));
  }

  /** One pass of a request inside a dialog stands for both parties: one Record-Route may be of both. */
  inDialog(context: RequestContext): void {
    this.#watch(context, this.#triggers.inDialog(context.request));
  }

  /** The served user's charging functions, from the HSS. */
  served(request: SipMessage, charging: ChargingAddresses | undefined): void {
    if (charging !== undefined) this.#charged.get(request)?.collectAt(charging.ccf);
  }

  #watch(context: RequestContext, charged: ChargedRequest | undefined): void {
    if (charged === undefined) return;
    this.#charged.set(context.request, charged);
    context.onUpstream((response) => charged.sees(response));
  }
}
