import { type UpOptions, uriHostOf } from "./nodes.ts";

/** What to do next, once everything is ready. */
export function guide({ host, domain, seedExamples, stateDir }: UpOptions, seconds: string): string {
  const at = uriHostOf(host);
  const user = seedExamples ? "6505550000" : "alice";
  const examples = seedExamples
    ? `
Two example subscribers are there (lab only, loopback only):
    sip:6505550000@${domain}   IMPI 6505550000@${domain}   password secret
    sip:6505550001@${domain}   IMPI 6505550001@${domain}   password secret
`
    : "";
  const call = seedExamples
    ? `Call sip:6505550001@${domain} from the first phone; the second one rings.\n`
    : "";
  // The client asks 127.0.0.1 unless told otherwise; on another loopback address the API is there.
  const url =
    (host.startsWith("127.") && host !== "127.0.0.1") || host === "::1" ? ` --url http://${at}:8889` : "";
  return `Tidewater is ready (${seconds} s): bono, sprout and homestead on ${host}, domain ${domain}.
${examples}
Point a softphone here:
    registrar / outbound proxy   ${at}:5060 (UDP or TCP), WebSocket ws://${at}:5062
    user name (authentication)   ${user}@${domain}
    SIP domain                   ${domain}
${call}
${seedExamples ? "More subscribers: " : "Subscribers:      "} npm run tidewater -- subscriber add --impi alice@${domain} --impu sip:alice@${domain} --password-stdin${url}
Health, metrics:   http://${at}:9101/health/ready   http://${at}:9101/metrics   (9102 sprout, 9103 homestead)
State is kept in ${stateDir}. Ctrl-C stops everything.`;
}
