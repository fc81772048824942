import type { DiagnosisDefinitions } from "./definition.ts";

/** What is wrong with the core or its neighbours, or with a request whoever sends it. */
export const networkDiagnoses = {
  "hss-unreachable": {
    area: "network",
    severity: "failure",
    title: "The HSS does not answer",
    symptom: "REGISTER or INVITE is answered 480, 500 or 504 after some seconds.",
    cause:
      "homestead (or the HSS of somebody else) is down, cut off or hangs; its Diameter peers are not connected.",
    remedy: [
      "`tidewater alarms` shows which peer is gone; is homestead running, and does `sprout.hss-peer` name it?",
      "Diameter needs TCP 3868 from sprout to homestead, and the same realm on both sides",
    ],
    clauses: ["TS 29.228 §6.1", "RFC 6733 §5.5"],
  },
  "hss-failed": {
    area: "network",
    severity: "failure",
    title: "The HSS says that it cannot do what it was asked",
    symptom:
      "REGISTER or INVITE is answered 480 or 500; the HSS says DIAMETER_UNABLE_TO_COMPLY or another error.",
    cause:
      "The database behind the HSS is away, or it does not accept the request (another Cx release, a missing AVP).",
    remedy: [
      "look at the log and the alarms of the HSS; `Error-Message` of its answer is in the ladder when there is one",
    ],
    clauses: ["TS 29.228 §6.2", "RFC 6733 §7.1"],
  },
  "hss-overloaded": {
    area: "network",
    severity: "failure",
    title: "The HSS is too busy",
    symptom: "REGISTER or INVITE is answered 503 with Retry-After; the HSS says DIAMETER_TOO_BUSY.",
    cause:
      "More requests than the HSS, or its database, serves: all UEs register at once after an outage, or a flood.",
    remedy: ["wait: UEs come back spread over 5 to 20 s", "if it lasts, add members to the homestead pool"],
    clauses: ["RFC 6733 §7.1.3", "RFC 3261 §21.5.4"],
  },
  overload: {
    area: "network",
    severity: "failure",
    title: "The core has more to do than it can, and refuses new requests",
    symptom: "REGISTER or INVITE is answered 503 with Retry-After before anything else happens.",
    cause:
      "Messages wait longer than `--overload-target-ms` for being handled: too many UEs for the machine, a machine that is busy with something else, or a flood. Or the node is being drained.",
    remedy: [
      "`ims_<node>_overload_queue_seconds` and `_admission_rate` show when it began and what is let in",
      "add members to the pool; look at who else uses the processors",
    ],
    clauses: ["RFC 7339", "RFC 3261 §21.5.4"],
  },
  "source-limit": {
    area: "network",
    severity: "failure",
    title: "Too many requests of unregistered UEs come from one address",
    symptom: "REGISTER is answered 503 with Retry-After: 1 by the P-CSCF.",
    cause:
      "More requests a second than `bono.strangers-per-second` from one address without a registration: a flood, a test tool, or many UEs behind one NAT after an outage.",
    remedy: [
      "find out who is at the address in the ladder; raise the limit when there is a NAT with many UEs behind",
    ],
    clauses: ["TS 33.203 annex N"],
  },
  "home-network-unreachable": {
    area: "network",
    severity: "failure",
    title: "The P-CSCF does not reach the home network",
    symptom: "REGISTER or INVITE is answered 504 (Server Time-out) by the P-CSCF.",
    cause:
      "No I-CSCF or S-CSCF answers: sprout is down, `bono.icscf-uri` is wrong, or a firewall stands between.",
    remedy: [
      "is sprout running? Try its port from the machine of bono (TCP 5052, 5054)",
      "compare `bono.icscf-uri` with where sprout listens",
    ],
    clauses: ["TS 24.229 §5.2.2.1", "TS 24.229 §5.2.6.3.2A"],
  },
  "application-server-silent": {
    area: "network",
    severity: "failure",
    title: "An application server does not answer",
    symptom: "The call fails with 408 or 504, or goes on after a pause without the service.",
    cause:
      "The server that a filter criterion names is down, cut off, or its name or port is wrong; what happens then is the DefaultHandling of the criterion.",
    remedy: [
      "does something listen at the address in the criterion? It must take SIP from sprout over that transport",
      "let calls go on without it (DefaultHandling 0), or take the criterion out until it is back",
    ],
    clauses: ["TS 24.229 §5.4.3.2", "TS 23.218 §5.2"],
  },
  "application-server-failed": {
    area: "network",
    severity: "failure",
    title: "An application server fails requests",
    symptom: "An application server answers 5xx; the call fails, or goes on without the service.",
    cause: "A fault of the application server, or it does not know the user.",
    remedy: ["look at the log of the application server; its answer is in the ladder (`--text`)"],
    clauses: ["TS 24.229 §5.4.3.2", "TS 23.218 §5.2"],
  },
  "no-filter-criteria-met": {
    area: "network",
    severity: "failure",
    title: "No filter criterion of the user is for this request",
    symptom: "The request is answered 403 (Forbidden (no service)).",
    cause:
      "The user has filter criteria, none of them matches, and `sprout.reject-if-no-matching-ifcs` is on: the iFC that gives the service is missing or has another method, session case or URI.",
    remedy: [
      "`tidewater subscriber show <IMPI> --json` prints the criteria; compare method and session case",
      "add the criterion, or name shared or fallback ones (`sprout.shared-ifc-file`, `sprout.fallback-ifc-file`)",
    ],
    clauses: ["TS 23.218 §5.2", "TS 29.228 §B.2.2"],
  },
  "loop-detected": {
    area: "network",
    severity: "failure",
    title: "The request came back to where it had been: a loop",
    symptom: "The request is answered 482 (Loop Detected) or 483 (Too Many Hops).",
    cause:
      "Two networks, a BGCF route and a trunk, or two forwardings send the call to each other; or a UE sends Max-Forwards: 0.",
    remedy: [
      "follow the Via lines of the last request in the ladder (`--text`), and take out the route or the forwarding that leads back",
    ],
    clauses: ["RFC 3261 §16.3", "RFC 5393 §4.2"],
  },
  "message-too-large": {
    area: "network",
    severity: "failure",
    title: "The message is too large",
    symptom: "The request is answered 513 (Message Too Large).",
    cause:
      "A body or a list of header fields beyond what the P-CSCF takes of a UE: a picture in a MESSAGE, an SDP with hundreds of candidates, or an attack.",
    remedy: ["send large contents by MSRP or a link; limit the candidates of the UE"],
    clauses: ["RFC 3261 §21.5.7"],
  },
  "malformed-request": {
    area: "network",
    severity: "failure",
    title: "The request is not well-formed",
    symptom: "The request is answered 400 (Bad Request); the reason names the header field.",
    cause:
      "The UE, or something between that rewrites SIP (an application layer gateway in a router), makes messages that the grammar does not allow.",
    remedy: [
      "look at the field that the answer names (`--text`); switch off SIP ALG in the router; another firmware of the UE",
    ],
    clauses: ["RFC 3261 §21.4.1", "RFC 3261 §25"],
  },
  "extension-not-supported": {
    area: "network",
    severity: "failure",
    title: "The request requires an extension that is not supported",
    symptom: "The request is answered 420 (Bad Extension) with Unsupported.",
    cause: "Require or Proxy-Require names an option that the node, or the other UE, does not have.",
    remedy: ["have the UE write the option into Supported instead"],
    clauses: ["RFC 3261 §8.2.2.3", "RFC 3261 §16.3"],
  },
  "uri-scheme-not-supported": {
    area: "network",
    severity: "failure",
    title: "The address is of a kind that cannot be called",
    symptom: "The request is answered 416 (Unsupported URI Scheme).",
    cause:
      "The Request-URI is no sip:, sips:, tel: or urn: URI: an entry of an address book taken for a number.",
    remedy: ["dial a number or a SIP address"],
    clauses: ["RFC 3261 §16.3"],
  },
  "route-not-allowed": {
    area: "network",
    severity: "failure",
    title: "The UE tries to choose its way through the core",
    symptom: "The request is answered 403 (Forbidden (Route)) by the P-CSCF.",
    cause:
      "The UE has a Route, an outbound proxy or a Request-URI that names a node behind the P-CSCF: the address of sprout as its proxy.",
    remedy: ["set the outbound proxy of the UE to the P-CSCF and nothing else"],
    clauses: ["TS 24.229 §5.2.6.3"],
  },
  "store-unavailable": {
    area: "network",
    severity: "failure",
    title: "The store of registrations does not answer",
    symptom: "REGISTER or INVITE is answered 500 (registrations are not available), or takes long.",
    cause: "memcached or Cassandra, in which sprout keeps registrations, is down, cut off or slow.",
    remedy: [
      "`tidewater alarms` names the member that is away",
      "see docs/operations/memcached.md and docs/operations/cassandra.md",
    ],
    clauses: ["TS 24.229 §5.4.1"],
  },
} as const satisfies DiagnosisDefinitions;
