import type { DiagnosisDefinitions } from "./definition.ts";

/** Why a call, or another request to somebody, did not come about or ended. */
export const callDiagnoses = {
  "caller-not-registered": {
    area: "call",
    severity: "failure",
    title: "The caller is not registered over this flow",
    symptom: "INVITE is answered 403 (Forbidden (not registered)) by the P-CSCF.",
    cause:
      "The UE has not registered, its registration has expired, or it calls from another port or connection than it registered from; From names an identity that is not in its set.",
    remedy: [
      "register first, and send calls over the same socket",
      "does the port change between REGISTER and INVITE in the ladder? Then a NAT has given it a new one: use keep-alives or TCP",
    ],
    clauses: ["TS 24.229 §5.2.6.3.1"],
  },
  "caller-barred": {
    area: "call",
    severity: "failure",
    title: "The caller's identity is barred",
    symptom: "INVITE is answered 403 (Forbidden) by the S-CSCF.",
    cause: "BarringIndication is set for the public identity that the call is made with.",
    remedy: [
      "call with another identity of the set, or unbar it: `tidewater subscriber update <IMPI> --impu ...`",
    ],
    clauses: ["TS 24.229 §5.4.3.2"],
  },
  "called-barred": {
    area: "call",
    severity: "failure",
    title: "The called identity is barred",
    symptom: "INVITE is answered 404 (Not Found) by the S-CSCF of the called user.",
    cause: "BarringIndication is set for the public identity that is called.",
    remedy: [
      "call another identity of the set, or unbar it: `tidewater subscriber update <IMPI> --impu ...`",
    ],
    clauses: ["TS 24.229 §5.4.3.3"],
  },
  "called-unknown": {
    area: "call",
    severity: "failure",
    title: "The called user does not exist",
    symptom: "INVITE is answered 404 (Not Found); the HSS says ERROR_USER_UNKNOWN.",
    cause:
      "The address is of the home domain, but nobody has it: a typing error, or a telephone number written as a SIP URI while the subscriber has the tel URI, or the other way round.",
    remedy: [
      "`tidewater subscriber list --search <number>`: with which identities is it provisioned?",
      "provision both sip: and tel: in one set; `;user=phone` makes a SIP URI a number",
    ],
    clauses: ["TS 24.229 §5.3.2.1", "TS 29.228 §6.1.4"],
  },
  "called-not-registered": {
    area: "call",
    severity: "outcome",
    title: "The called user is not registered",
    symptom: "INVITE is answered 480 (Temporarily Unavailable) by the core.",
    cause: "The called user is provisioned, and no UE of his is registered at this moment.",
    remedy: [
      "`tidewater doctor <called user>` says why he is not",
      "voice mail for such calls is a filter criterion for unregistered users",
    ],
    clauses: ["TS 24.229 §5.4.3.3", "TS 29.228 §6.1.4.1"],
  },
  "number-not-routable": {
    area: "call",
    severity: "failure",
    title: "Nobody knows the way to the number",
    symptom: "INVITE to a telephone number is answered 404 (Not Found).",
    cause:
      "The number is of no subscriber, ENUM has no answer for it, and the BGCF has no route that it begins with; or it was not brought into the form +<country>... by a dial plan.",
    remedy: [
      "add a route to `sprout.bgcf-file`, or the block to `sprout.enum-file`",
      "a local number needs `sprout.dial-plan-file`; the ladder shows what it was made into",
    ],
    clauses: ["TS 24.229 §5.6.2", "RFC 6116"],
  },
  "domain-not-routable": {
    area: "call",
    severity: "failure",
    title: "Calls to this domain are not let out",
    symptom: "INVITE to another domain is answered 404 (Not Found).",
    cause: "No route of the BGCF is for the domain, and `sprout.allow-foreign-domains` is off.",
    remedy: [
      "is the domain meant? A UE that writes its P-CSCF's address as the domain calls a stranger",
      "add a route for it, or an IBCF peer, or switch `sprout.allow-foreign-domains` on",
    ],
    clauses: ["TS 24.229 §5.4.3.2", "TS 24.229 §5.6.2"],
  },
  "number-incomplete": {
    area: "call",
    severity: "failure",
    title: "The number is not complete",
    symptom: "INVITE is answered 484 (Address Incomplete).",
    cause: "The dial plan has an entry for how the number begins, and it wants more digits.",
    remedy: ["dial all digits; or correct the entry of `sprout.dial-plan-file`"],
    clauses: ["RFC 3261 §21.4.22"],
  },
  busy: {
    area: "call",
    severity: "outcome",
    title: "The called user is busy",
    symptom: "INVITE is answered 486 (Busy Here) or 600 (Busy Everywhere).",
    cause:
      "The UE of the called user has said so: it is in a call and takes no second one, or it is set to do not disturb.",
    remedy: ["try later; call waiting and forwarding on busy are services of the called user"],
    clauses: ["RFC 3261 §21.4.24"],
  },
  declined: {
    area: "call",
    severity: "outcome",
    title: "The called user has declined the call",
    symptom: "INVITE is answered 603 (Decline).",
    cause: "Somebody has pressed the button, or the UE is set to decline.",
    remedy: ["nothing is wrong with the network"],
    clauses: ["RFC 3261 §21.6.2"],
  },
  "no-answer": {
    area: "call",
    severity: "outcome",
    title: "Nobody has answered the call",
    symptom: "It rang (180), then the caller hung up, or the time to answer was over.",
    cause: "The called user did not take the call.",
    remedy: ["forwarding on no reply, or voice mail, is a service of the called user"],
    clauses: ["RFC 3261 §9", "RFC 3261 §16.6"],
  },
  "ue-does-not-answer": {
    area: "call",
    severity: "failure",
    title: "The called UE is silent on the flow that it registered over",
    symptom:
      "The P-CSCF sends the request to the UE again and again, and nothing comes back; the caller gets 408 or gives up.",
    cause:
      "The UE has lost its network or was switched off without deregistering; a NAT has forgotten its address; a firewall drops what comes from the P-CSCF; the request is too large for UDP and its fragments are lost.",
    remedy: [
      "have the UE register again, and with keep-alives (RFC 5626) or over TCP",
      "ping its address from the P-CSCF; look at the firewall for UDP from the port of the P-CSCF",
    ],
    clauses: ["RFC 3261 §17.1.1.2", "RFC 5626 §5"],
  },
  "flow-failed": {
    area: "call",
    severity: "failure",
    title: "The connection that the called UE registered over is gone",
    symptom: "The P-CSCF says 430 (Flow Failed); the caller gets that or 480.",
    cause:
      "The TCP, TLS or WebSocket connection was closed (the UE went to sleep, the browser page was closed, a NAT or load balancer cut it) and the UE has not registered over a new one.",
    remedy: [
      "have the UE keep its connection alive (RFC 5626 §4.4.1) and register again when it breaks",
      "raise the idle time of what stands between above `bono.keep-alive-seconds`",
    ],
    clauses: ["RFC 5626 §5.3", "RFC 5626 §11.1"],
  },
  "codec-mismatch": {
    area: "call",
    severity: "failure",
    title: "The two UEs have no codec or no kind of media in common",
    symptom: "INVITE is answered 488 or 606 (Not Acceptable), or 415.",
    cause:
      "The called UE can use nothing of the SDP: no common codec (AMR-WB only at one end), RTP against SRTP or DTLS-SRTP (a browser and a handset), IPv6 against IPv4, video only.",
    remedy: [
      "compare the m= and a=rtpmap lines of the offer with what the other UE supports (`--text` shows them)",
      "enable a common codec at both ends (PCMA, AMR)",
      "between a browser and other phones put a media gateway (docs/operations/media-gateway.md)",
    ],
    clauses: ["RFC 3261 §21.4.26", "RFC 3264 §6"],
  },
  "precondition-failed": {
    area: "call",
    severity: "failure",
    title: "Preconditions (QoS) of the call were not met",
    symptom: "The call ends with 580 (Precondition Failure), or with 420 or 421 for `precondition`.",
    cause:
      "One UE insists on resource reservation that the other one, or the access network without a dedicated bearer, does not give.",
    remedy: [
      "switch preconditions off in the IMS profile of the UE, or make them optional",
      "or have the access network (PCRF, PCF) set up the bearer",
    ],
    clauses: ["RFC 3312 §8", "TS 24.229 §5.1.3"],
  },
  "refused-by-ue": {
    area: "call",
    severity: "failure",
    title: "The called UE has refused the request",
    symptom: "A final answer other than busy, declined or not acceptable comes from the UE itself.",
    cause:
      "The answer says it: a fault of the UE (5xx), a method or body that it does not support (405, 501), or its own rules.",
    remedy: [
      "look at the answer with `--text` (Reason, Warning), and at the log of the UE; the core has only passed it on",
    ],
    clauses: ["RFC 3261 §21"],
  },
  "refused-by-peer": {
    area: "call",
    severity: "failure",
    title: "Another network or server has refused the request",
    symptom: "The final answer comes from a peer outside this core.",
    cause: "The answer says it; the core has only passed it on.",
    remedy: [
      "look at the answer with `--text` (Reason, Warning), and ask the operator of the address in the ladder",
    ],
    clauses: ["RFC 3261 §21"],
  },
  "barred-by-service": {
    area: "call",
    severity: "outcome",
    title: "A barring service of one of the users has refused the call",
    symptom: "INVITE is answered 603 (Decline) or 433 (Anonymity Disallowed) by the telephony server.",
    cause:
      "The simservs document of the caller bars outgoing calls of this kind, or that of the called user incoming ones.",
    remedy: [
      "the user, or an operator for him, changes the rules in the document (docs/operations/telephony-services.md)",
    ],
    clauses: ["TS 24.611 §4.5.2"],
  },
  "dialog-of-another-flow": {
    area: "call",
    severity: "failure",
    title: "A request inside a call comes over another flow than the call",
    symptom: "BYE, re-INVITE or UPDATE is answered 403 (Forbidden (not your dialog)).",
    cause:
      "The UE has a new address or port (NAT, change of the access network) and has not registered over it, or it sends requests of the call from another socket, or without the Route set of the dialog.",
    remedy: [
      "have the UE register again over the new flow before it goes on with the call",
      "compare the Route of the request with the Record-Route of the 200, in the other order",
    ],
    clauses: ["TS 24.229 §5.2.6.3.5", "RFC 3261 §12.2.1.1"],
  },
  "dialog-unknown": {
    area: "call",
    severity: "failure",
    title: "One side does not know the call any more",
    symptom: "A request inside the call is answered 481 (Call/Transaction Does Not Exist).",
    cause:
      "That UE has ended the call already, was restarted, or the tags do not fit: both hung up at the same moment, or one missed the BYE.",
    remedy: ["look which side said it, and what it had sent before; without BYE it was restarted"],
    clauses: ["RFC 3261 §12.2.2"],
  },
  "ack-missing": {
    area: "call",
    severity: "failure",
    title: "The 200 of the call is not acknowledged",
    symptom: "The called UE sends its 200 (OK) again and again, and ends the call after 32 s.",
    cause:
      "ACK does not come back: the 200 does not reach the caller (NAT, fragments), or its ACK goes astray because it ignores Record-Route or answers to the Contact.",
    remedy: [
      "does the 200 reach the caller in the ladder? If so, its ACK must carry the Record-Route of the 200 as Route",
      "if not, the way from the P-CSCF to the caller is closed",
    ],
    clauses: ["RFC 3261 §13.2.2.4", "RFC 3261 §13.3.1.4"],
  },
  "session-timer-expired": {
    area: "call",
    severity: "failure",
    title: "The call was ended because nobody refreshed it",
    symptom:
      "After the session interval (Session-Expires) one side sends BYE, often with Reason: SIP;cause=408.",
    cause:
      "Whoever was to refresh the session did not, or its re-INVITE or UPDATE was lost or refused: a UE that is gone, or one that says it refreshes and does not.",
    remedy: [
      "`refresher` in the 200 says who had to; look for its re-INVITE or UPDATE in the ladder and what became of it",
      "lengthen the interval (`--session-expires`), or switch the timer off in the UE that does it wrong",
    ],
    clauses: ["RFC 4028 §10"],
  },
  "session-interval-too-small": {
    area: "call",
    severity: "failure",
    title: "The session interval is too short, and the UE does not take a longer one",
    symptom: "INVITE is answered 422 (Session Interval Too Small).",
    cause:
      "Session-Expires of the UE is below what the network allows (`--min-session-expires`, at least 90 s).",
    remedy: ["set the session timer of the UE to the Min-SE of the answer or more"],
    clauses: ["RFC 4028 §6", "RFC 4028 §8.1"],
  },
  "released-by-network": {
    area: "call",
    severity: "failure",
    title: "The network has ended the call, because it deregistered the user",
    symptom: "Both sides get BYE with Reason: SIP;cause=480 from the P-CSCF.",
    cause: "The user was deregistered by an operator or the HSS while in a call (`bono.release-calls`).",
    remedy: ["if that was not meant: have the UE register again"],
    clauses: ["TS 24.229 §5.2.8.1"],
  },
  "media-behind-nat": {
    area: "call",
    severity: "notice",
    title: "A UE asks for its media at a private address that the other one cannot reach",
    symptom: "The call is set up, and one hears nothing or only one side.",
    cause:
      "The c= line of its SDP has a private address while its signalling comes from another one: a NAT, and neither ICE nor a media relay.",
    remedy: ["use ICE with STUN or TURN (docs/operations/turn.md), a media relay, or addresses without NAT"],
    clauses: ["RFC 8445", "RFC 4566 §5.7"],
  },
} as const satisfies DiagnosisDefinitions;
