import type { DiagnosisDefinitions } from "./definition.ts";

/** Why somebody is not registered, credentials apart. */
export const registrationDiagnoses = {
  "unknown-subscriber": {
    area: "registration",
    severity: "failure",
    title: "The HSS does not know the subscriber",
    symptom: "REGISTER is answered 403 (Forbidden) at once, without a challenge.",
    cause:
      "The private identity (IMPI) that the UE sends, or the public identity (IMPU) in To, is not provisioned. A SIM without ISIM derives both from its IMSI: <IMSI>@ims.mnc<MNC>.mcc<MCC>.3gppnetwork.org.",
    remedy: [
      "compare the two identities with `tidewater subscriber list --search <IMSI or number>`, letter by letter",
      "add the subscriber (`tidewater subscriber add --impi ... --impu ...`), or correct the account in the UE",
    ],
    clauses: ["TS 29.228 §6.1.1.1", "TS 23.003 §13"],
  },
  "wrong-domain": {
    area: "registration",
    severity: "failure",
    title: "The UE registers with a domain that is not ours",
    symptom: "REGISTER is answered 403 (Forbidden); its To names another domain than the home domain.",
    cause:
      "The UE, its SIM or its account has another home network domain than this core: an example domain, the name of the P-CSCF, an IP address, or another MNC or MCC (a two-digit MNC is written with a leading zero: mnc001).",
    remedy: [
      "set the domain of the UE to the home domain of the core, or write another ISIM domain and identities on the SIM",
      "or run the core for that domain (`--domain`), or add it to `sprout.alias-domains` and provision identities in it",
    ],
    clauses: ["TS 23.003 §13.2", "TS 24.229 §5.1.1.1A"],
  },
  "identities-do-not-match": {
    area: "registration",
    severity: "failure",
    title: "The private and the public identity are of different subscribers",
    symptom: "REGISTER is answered 403 (Forbidden); the HSS says ERROR_IDENTITIES_DONT_MATCH.",
    cause:
      "Both identities are provisioned, but the public one is in no implicit registration set of the private one: the user name of one account with the number of another, or a number that has moved.",
    remedy: [
      "`tidewater subscriber show <IMPI>` lists the public identities that this private identity may register",
      "correct user name or number in the UE, or move the public identity (`tidewater subscriber update <IMPI> --impu ...`)",
    ],
    clauses: ["TS 29.228 §6.1.1.1", "TS 23.228 §4.3.3.4"],
  },
  "missing-implicit-registration-set": {
    area: "registration",
    severity: "failure",
    title: "The private identity has no implicit registration set",
    symptom: "REGISTER is answered 403 (Forbidden) although the private identity is provisioned.",
    cause:
      "The private identity was created without a public one, or its set was deleted or never associated with it: there is nothing that it could register.",
    remedy: [
      "give it a set: `PUT /private/<IMPI>/associated_implicit_registration_sets/<set>` of the provisioning API",
      "or delete it and add it anew with `tidewater subscriber add --impi ... --impu ...`",
    ],
    clauses: ["TS 23.228 §4.3.3.4", "TS 23.003 §13.4"],
  },
  "registration-barred": {
    area: "registration",
    severity: "failure",
    title: "All public identities of the subscriber are barred",
    symptom: "REGISTER is answered 403 (Forbidden); the HSS says DIAMETER_AUTHORIZATION_REJECTED.",
    cause: "BarringIndication is set for every identity of the implicit registration set.",
    remedy: [
      "`tidewater subscriber show <IMPI>` says which identities are barred",
      "unbar the one that is to be used: `tidewater subscriber update <IMPI> --impu ... --barred ...`",
    ],
    clauses: ["TS 29.228 §6.1.1.1", "TS 29.228 annex E"],
  },
  "roaming-not-allowed": {
    area: "registration",
    severity: "failure",
    title: "The home network does not let the subscriber roam in this network",
    symptom: "REGISTER is answered 403 (Forbidden); the HSS says ERROR_ROAMING_NOT_ALLOWED.",
    cause:
      "P-Visited-Network-ID, which the P-CSCF writes, is not among the networks that the HSS allows: a roaming agreement that is missing, or a P-CSCF whose `--visited-network-id` is spelt differently.",
    remedy: [
      "compare `bono.visited-network-id` with `homestead.allowed-visited-networks`",
      "add the network there, or correct the name at the P-CSCF",
    ],
    clauses: ["TS 29.228 §6.1.1.1", "TS 24.229 §5.2.2.1"],
  },
  "registered-elsewhere": {
    area: "registration",
    severity: "failure",
    title: "Another S-CSCF serves the subscriber",
    symptom:
      "REGISTER passes the password and is then answered 403; the HSS says ERROR_IDENTITY_ALREADY_REGISTERED.",
    cause:
      "The HSS has another S-CSCF name for the user: two cores share one HSS, or `sprout.scscf-uri` was changed while users were registered.",
    remedy: [
      "give all members of the pool the same `--scscf-uri`, and keep it",
      "end the old registration: `tidewater subscriber deregister <IMPI>`",
    ],
    clauses: ["TS 29.228 §6.1.2.1"],
  },
  "too-many-contacts": {
    area: "registration",
    severity: "failure",
    title: "The subscriber has too many contacts already",
    symptom: "REGISTER passes the password and is then answered 403 (Forbidden).",
    cause:
      "Each registration with another Contact adds one until it expires: a UE that changes its port or address at each start and sends no +sip.instance leaves the old ones behind.",
    remedy: [
      "`tidewater subscriber registration <IMPU>` lists the contacts",
      "have the UE send +sip.instance, or remove its old contacts when it ends; shorten `sprout.max-expires`",
      "clear them at once with `tidewater subscriber deregister <IMPI>`; raise `sprout.max-bindings` if it is right so",
    ],
    clauses: ["RFC 3261 §10.3", "RFC 5626 §4.1"],
  },
  "interval-too-brief": {
    area: "registration",
    severity: "failure",
    title: "The UE asks for too short a registration and does not take a longer one",
    symptom: "REGISTER is answered 423 (Interval Too Brief).",
    cause:
      "Expires is below `sprout.min-expires`; the UE does not try again with the Min-Expires of the answer.",
    remedy: ["set the registration interval of the UE to at least Min-Expires, usually 600000 or 3600 s"],
    clauses: ["RFC 3261 §10.3", "RFC 3261 §21.4.17"],
  },
  "registration-expired": {
    area: "registration",
    severity: "failure",
    title: "The registration has expired: the UE has not refreshed it",
    symptom: "The user was registered; now calls to him are answered 480.",
    cause:
      "The UE was switched off, lost its network or changed its address without registering again; or its refreshes do not arrive.",
    remedy: [
      "see that the UE is up and has an address; register it again",
      "if it believes to be registered, look whether its REGISTER reaches the P-CSCF (port, firewall, keep-alive)",
    ],
    clauses: ["TS 24.229 §5.4.1.5", "RFC 3261 §10.2.4"],
  },
  "deregistered-by-network": {
    area: "registration",
    severity: "failure",
    title: "The network has ended the registration",
    symptom: "The user was registered until the HSS sent RTR.",
    cause: "An operator, or a change of the subscription, has deregistered the user.",
    remedy: [
      "if that was not meant: have the UE register again",
      "`tidewater subscriber deregister --again` is for a UE that is to come back at once",
    ],
    clauses: ["TS 29.228 §6.1.3", "TS 24.229 §5.4.1.5"],
  },
  "behind-nat": {
    area: "registration",
    severity: "notice",
    title: "There is a NAT between the UE and the P-CSCF",
    symptom: "The Contact of the UE is another address than its packets come from.",
    cause:
      "A router translates addresses on the way. Signalling goes back over the same flow and works while the translation lives; over UDP that is often 30 s only.",
    remedy: [
      "have the UE send keep-alives (RFC 5626 §4.4), or use TCP or TLS; `bono.udp-keep-alive-seconds` asks for them",
      "IPsec of TS 33.203 does not work through it without UDP encapsulation",
      "media need ICE, TURN or a relay, or an address pool without NAT",
    ],
    clauses: ["RFC 5626 §4.4", "RFC 3581"],
  },
} as const satisfies DiagnosisDefinitions;
