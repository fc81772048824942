import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { MetricsRegister } from "../../metrics/register.ts";
import type { Service } from "../../service.ts";
import { samplingOf } from "../sampling.ts";
import { type SocketEnd, socketEndOf } from "../socket-end.ts";
import type { SpareTime } from "../spare-time.ts";
import { TokenBucket } from "../token-bucket.ts";
import type { ExportedStep, Trail } from "../trail.ts";
import type { TrailContent, TrailEnds } from "../trail-step.ts";
import { type HepAddress, type HepCollector, openHepCollector } from "./hep-collector.ts";
import { encodeHep3, HEP_PROTOCOL, LONGEST_HEP_PAYLOAD } from "./hep3.ts";

export interface HepExportOptions {
  readonly address: HepAddress;
  /** Of this node, at the collector. */
  readonly captureId: number;
  /** Authenticates it there; "": no key. */
  readonly key: string;
  /** Which part of the calls, 0 to 1. The same calls at all nodes. */
  readonly sample: number;
  /** Messages a second at most. */
  readonly rate: number;
}

export interface HepExportModules {
  readonly trail: Pick<Trail, "attach">;
  readonly spare: Pick<SpareTime, "share">;
  readonly clock: Pick<Clock, "setTimer">;
  readonly register: MetricsRegister;
  readonly log: Logger;
}

interface Ends {
  readonly transport: number;
  readonly local: SocketEnd;
  readonly remote: SocketEnd;
}

const kinds = ["sip", "diameter"] as const;
const reasons = ["away", "queue", "rate", "busy", "long", "failed"] as const;

/** Tells a collector (Homer, sngrep) of SIP and Diameter messages by HEP3 as they are recorded. Service never waits for it. */
export function hepExport(
  options: HepExportOptions,
  { trail, spare, clock, register, log }: HepExportModules,
): Service {
  const sent = register.counter({
    name: "ims_hep_messages_sent_total",
    help: "Messages given to the HEP collector by protocol",
    labels: { protocol: kinds },
  });
  const dropped = register.counter({
    name: "ims_hep_messages_dropped_total",
    help: "Messages that the HEP collector was not told of, by reason",
    labels: { reason: reasons },
  });
  const bucket = new TokenBucket(options.rate);
  const known = new WeakMap<TrailEnds, Ends | null>();
  let collector: HepCollector | undefined;
  let detach = (): void => undefined;

  function endsOf(ends: TrailEnds): Ends | null {
    const found = known.get(ends);
    if (found !== undefined) return found;
    const [local, remote] = [socketEndOf(ends.local), socketEndOf(ends.remote)];
    const made =
      local === undefined || remote === undefined
        ? null
        : { transport: transportOf(ends.protocol), local, remote };
    known.set(ends, made);
    return made;
  }

  function tell(step: ExportedStep, kind: (typeof kinds)[number], ends: Ends): void {
    const content = kind === "diameter" ? step.read() : undefined;
    if (kind === "diameter" && content === undefined) return;
    const { callId, icid, session } = content ?? step.identifiers();
    const sampling = samplingOf(callId ?? session ?? "", options.sample, spare.share);
    if (sampling === "unsampled") return;
    if (sampling === "busy") return dropped.inc({ reason: "busy" });
    if (!bucket.take(step.at)) return dropped.inc({ reason: "rate" });
    const payload =
      content === undefined ? step.bytes.subarray(step.start, step.end) : Buffer.from(jsonOf(content));
    if (payload.length > LONGEST_HEP_PAYLOAD) return dropped.inc({ reason: "long" });
    const outward = step.direction === "out";
    const packet = encodeHep3({
      transport: ends.transport,
      source: outward ? ends.local : ends.remote,
      destination: outward ? ends.remote : ends.local,
      time: step.time,
      protocol: kind === "sip" ? HEP_PROTOCOL.sip : HEP_PROTOCOL.diameterJson,
      captureId: options.captureId,
      key: options.key,
      correlation: (icid ?? callId ?? session ?? "").slice(0, 255),
      payload,
    });
    const refusal = collector?.send(packet);
    if (refusal === undefined) sent.inc({ protocol: kind });
    else dropped.inc({ reason: refusal });
  }

  return {
    async start() {
      collector = openHepCollector(options.address, {
        clock,
        onLost: (reason) => dropped.inc({ reason }),
        onState: (state, reason) => log.info({ collector: options.address, state, reason }, "HEP collector"),
      });
      detach = trail.attach((step) => {
        const kind = kinds.find((one) => one === step.kind);
        if (kind === undefined || step.ends === undefined) return;
        try {
          const ends = endsOf(step.ends);
          if (ends === null) dropped.inc({ reason: "failed" });
          else tell(step, kind, ends);
        } catch {
          // Whatever a message may be: who sent it is answered.
          dropped.inc({ reason: "failed" });
        }
      });
    },
    async quiesce() {},
    async stop() {
      detach();
      collector?.stop();
    },
  };
}

function transportOf(protocol: string): number {
  const lower = protocol.toLowerCase();
  return lower === "udp" ? 17 : lower === "sctp" ? 132 : 6;
}

/** What a person may see of it. */
function jsonOf({ title, text: _, octets: __, ...rest }: TrailContent): string {
  return JSON.stringify({ title, ...rest });
}
