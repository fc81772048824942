import type { Clock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { MetricsRegister } from "../metrics/register.ts";
import type { Service } from "../service.ts";
import type { ServiceOptions } from "../service-options.ts";
import { hepAddressOf } from "./hep/hep-collector.ts";
import { hepExport } from "./hep/hep-export.ts";
import { otlpExport } from "./otlp/otlp-export.ts";
import { spareTime } from "./spare-time.ts";
import type { Trail } from "./trail.ts";

interface Modules {
  readonly trail: Trail | undefined;
  readonly clock: Clock;
  readonly register: MetricsRegister;
  readonly log: Logger;
}

/** Who else is told of what the trail records; a text says which option cannot be. */
export function exportsOf(
  node: string,
  options: ServiceOptions,
  { trail, ...modules }: Modules,
): Service[] | string {
  const services: Service[] = [];
  const address = hepAddressOf(options.hepCollector);
  const { hepCaptureId: captureId, hepKey: key, otlpEndpoint: url } = options;
  if (address === undefined && url === "") return services;
  if (trail === undefined) {
    const asked = address === undefined ? "--otlp-endpoint" : "--hep-collector";
    return `${node}: ${asked} needs the trail: --trail-bytes must not be 0`;
  }
  const spare = spareTime(modules);
  services.push(spare);
  if (address !== undefined) {
    const { hepSample: sample, hepRate: rate } = options;
    services.push(hepExport({ address, captureId, key, sample, rate }, { trail, spare, ...modules }));
  }
  if (url !== "") {
    const { otlpSample: sample, otlpRate: rate } = options;
    services.push(otlpExport({ url, node, sample, rate }, { trail, spare, ...modules }));
  }
  return services;
}
