import type { Flow, RequestContext } from "@ims/sip";
import type { PcscfSettings } from "./modules.ts";

/** Keep-alive interval for a flow in seconds; 0: none is asked. */
export function keepAliveInterval(flow: Flow, settings: PcscfSettings): number {
  return flow.protocol === "UDP" ? settings.udpKeepAliveSeconds : settings.keepAliveSeconds;
}

/** RFC 6223 §5: a UE that offers keep-alives in its Via hears how often they are wanted. */
export function answerKeepAlive(context: RequestContext, settings: PcscfSettings): void {
  const seconds = keepAliveInterval(context.flow, settings);
  if (seconds === 0 || context.request.topVia?.parameters.has("keep") !== true) return;
  context.onUpstream((response) => {
    if (response.status < 200 || response.status >= 300) return;
    const via = response.top("Via");
    const at = via === undefined ? -1 : via.search(/;\s*keep\s*(?=;|$)/i);
    if (via === undefined || at < 0) return;
    const rest = via.slice(at + 1);
    const end = rest.indexOf(";");
    response.replaceTop("Via", `${via.slice(0, at)};keep=${seconds}${end < 0 ? "" : rest.slice(end)}`);
  });
}
