import { isLoopback } from "@ims/runtime";
import { type UpOptions, uriHostOf } from "./nodes.ts";
import type { Started } from "./supervisor.ts";

/** Where the subscriber commands look for the API unless told otherwise. */
const DEFAULT_API = "127.0.0.1:8889";

/** What to do next, once everything is ready. */
export function guide(options: UpOptions, started: readonly Started[], seconds: string): string {
  const { host, domain, seedExamples, stateDir } = options;
  const ports = new Map(
    started.flatMap(({ name, ports }) => Object.entries(ports).map(([of, port]) => [`${name}.${of}`, port])),
  );
  const any = host === "0.0.0.0" || host === "::";
  const phone = any ? "<address of this machine>" : uriHostOf(host);
  const near = any ? "127.0.0.1" : uriHostOf(host);
  const api = `${isLoopback(host) ? near : "127.0.0.1"}:${ports.get("homestead.provisioning")}`;
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
  const management = `http://${near}:${ports.get("bono.management")}`;
  const others = `${ports.get("sprout.management")} sprout, ${ports.get("homestead.management")} homestead`;
  const names = started.map(({ name }) => name).reverse();
  return `Tidewater is ready (${seconds} s): ${names.slice(0, -1).join(", ")} and ${names.at(-1)} on ${host}, domain ${domain}.
${examples}
Point a softphone here:
    registrar / outbound proxy   ${phone}:${ports.get("bono.udp")} (UDP or TCP), WebSocket ws://${phone}:${ports.get("bono.ws")}
    user name (authentication)   ${user}@${domain}
    SIP domain                   ${domain}
${call}
${seedExamples ? "More subscribers: " : "Subscribers:      "} npm run tidewater -- subscriber add --impi alice@${domain} --impu sip:alice@${domain} --password-stdin${api === DEFAULT_API ? "" : ` --url http://${api}`}
Health, metrics:   ${management}/health/ready   ${management}/metrics   (${others})
${
  options.charging === true
    ? `CDR files:         ${stateDir}/cdr   (events at http://${near}:${ports.get("ralf.charging")})
`
    : ""
}${
  options.mmtel === true
    ? `Telephony services: curl --digest -u ${user}@${domain} http://${near}:${ports.get("homer.ut")}/simservs.ngn.etsi.org/users/sip:${user}@${domain}/simservs.xml
                   (404 until a document is PUT; a subscriber needs a filter criterion: docs/operations/telephony-services.md)
`
    : ""
}${
  options.ellis === true
    ? `Accounts, numbers: http://${near}:${ports.get("ellis.http")}   (sign-up code in ${stateDir}/ellis-signup-code, operators' key in ${stateDir}/ellis-api-key)
Portal of operators: http://${near}:${ports.get("ellis.http")}/staff   (who may in: tidewater staff add EMAIL --role administrator)
${
  any
    ? ""
    : `Phone in a browser: http://${near}:${ports.get("ellis.http")}/phone
`
}`
    : ""
}${
  options.turn === undefined
    ? ""
    : `TURN:              ${options.turn.uris.join(" ")}   (credentials: GET http://${near}:${ports.get("ellis.http")}/turn-credentials)
`
}${
  options.callLists === true
    ? `Call lists:        curl --digest -u ${user}@${domain} http://${near}:${ports.get("homer.ut")}/org.projectclearwater.call-list/users/sip:${user}@${domain}/call-list.xml
`
    : ""
}${
  options.mediaGateway === undefined
    ? ""
    : `Media gateway:     rtpengine at ${options.mediaGateway.address} (${options.mediaGateway.engage}), between browsers and other phones
`
}State is kept in ${stateDir}. Ctrl-C stops everything.`;
}
