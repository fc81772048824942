import { type Logger, runtimeProblems, type ServiceModules } from "@ims/runtime";
import type { SipMessage } from "@ims/sip";
import { BonoError } from "../errors.ts";
import type { BonoOptions } from "../options.ts";
import { bonoProblems } from "../problems.ts";
import { MediaGateway } from "./media-gateway.ts";
import { MediaGateways } from "./media-gateways.ts";
import { gatewayAddress } from "./media-options.ts";
import { NgGateway } from "./ng-gateway.ts";

/** The media gateways of the options with their metrics and their alarm; undefined: switched off. Throws BonoError. */
export function createMediaGateway(
  options: BonoOptions,
  { clock, register, health, log }: ServiceModules,
): MediaGateway | undefined {
  const { mediaGateway: engage, mediaGatewayAddresses: addresses } = options;
  if (engage === "off") return undefined;
  if (addresses.length === 0)
    throw new BonoError({
      code: "BONO_NO_MEDIA_GATEWAY",
      problem: `--media-gateway ${engage} needs --media-gateway-addresses: where rtpengine listens for its ng protocol`,
    });
  const commands = register.counter({
    name: "ims_bono_media_gateway_commands_total",
    help: "Commands to media gateways, by what became of them",
    labels: {
      command: ["offer", "answer", "delete", "ping"],
      outcome: ["answered", "refused", "silent"],
    },
  });
  const gateways = new MediaGateways(
    [...new Set(addresses)].flatMap((text) => {
      const address = gatewayAddress(text);
      if (address === undefined) return [];
      const count = (
        command: "offer" | "answer" | "delete" | "ping",
        outcome: "answered" | "refused" | "silent",
      ) => commands.inc({ command, outcome });
      return [new NgGateway({ ...address, clock, timeoutMs: options.mediaGatewayTimeoutMs, count })];
    }),
  );
  register.gauge({
    name: "ims_bono_media_gateways_up",
    help: "Media gateways that answer",
    value: () => gateways.all.filter(({ up }) => up).length,
  });
  health.alarms.watch(bonoProblems.mediaGatewayAway, () => gateways.problem);
  const [ue, core] = options.mediaGatewayInterfaces;
  return new MediaGateway(
    {
      engage,
      onFailure: options.mediaGatewayFailure,
      interfaces: ue === undefined || core === undefined ? undefined : { ue, core },
      codecs: options.mediaGatewayCodecs,
    },
    gateways,
    defectIn(log),
  );
}

function defectIn(log: Logger): (error: unknown, request: SipMessage) => void {
  return (error, { method, callId }) =>
    log.error(
      { err: error, method, callId, problemId: runtimeProblems.defect.id },
      "conversion of a session description failed",
    );
}
