import type { DiagnosisDefinitions } from "./definition.ts";

/** What is wrong with passwords, SIMs and their challenges. */
export const authenticationDiagnoses = {
  "wrong-password": {
    area: "authentication",
    severity: "failure",
    title: "The password is wrong",
    symptom: "REGISTER is answered 401, the UE answers the challenge, and gets 403 (Forbidden).",
    cause:
      "The digest of the UE does not fit the password in the HSS. User name and realm were right, so it is the password: a typing error, a blank at its end, or characters that the UE encodes in another way.",
    remedy: [
      "set it anew on both sides: `tidewater subscriber update <IMPI> --password-stdin`",
      "after ten wrong answers the P-CSCF lets one a second through (`bono.password-tries`)",
    ],
    clauses: ["TS 24.229 §5.4.1.2.3", "RFC 7616 §3.4"],
  },
  "wrong-realm": {
    area: "authentication",
    severity: "failure",
    title: "The UE answers with another realm than that of the challenge",
    symptom: "REGISTER is answered 401, the UE answers with its own realm, and gets 403 (Forbidden).",
    cause:
      "A realm is configured in the UE (often the name of the P-CSCF, `asterisk`, or the domain of another core), and it uses that instead of what the challenge says.",
    remedy: ["leave the realm of the account empty, or `*`, or set it to the realm of the challenge"],
    clauses: ["RFC 7616 §3.4", "TS 24.229 §5.1.1.5"],
  },
  "algorithm-mismatch": {
    area: "authentication",
    severity: "failure",
    title: "The UE answers with an algorithm that was not offered",
    symptom: "REGISTER is answered 401, and the answer to the challenge is refused with 403 (Forbidden).",
    cause:
      "The challenge was for AKA and the UE, which has no SIM or does not use it, answers with its password; or it answers an MD5 challenge with SHA-256 that is not offered.",
    remedy: [
      "give the subscriber credentials of the kind that the UE has: `--password-stdin`, or `--k` and `--opc`",
      "offer the algorithm: `sprout.digest-algorithms`",
    ],
    clauses: ["RFC 7616 §3.4", "RFC 8760 §2.4", "RFC 3310"],
  },
  "authentication-scheme-not-supported": {
    area: "authentication",
    severity: "failure",
    title: "The UE wants a kind of authentication that the subscriber has no credentials for",
    symptom: "REGISTER is answered 403 without a challenge; the HSS says ERROR_AUTH_SCHEME_NOT_SUPPORTED.",
    cause:
      "The UE asks for IMS AKA (algorithm=AKAv1-MD5) and the subscriber has only a password, or K and OPc were not given.",
    remedy: [
      "add the keys of the SIM: `tidewater subscriber update <IMPI> --k ... --opc ...`",
      "or set the UE to SIP Digest with a password",
    ],
    clauses: ["TS 29.228 §6.3.1", "TS 24.229 §5.4.1.2.1"],
  },
  "op-entered-as-opc": {
    area: "authentication",
    severity: "failure",
    title: "OP was entered as OPc",
    symptom: "IMS AKA fails; the answer of the UE fits when the stored OPc is taken for OP.",
    cause:
      "OP is one value of the operator; OPc is computed from OP and the key K of each SIM. The value stored as OPc of this subscriber is the OP of his SIM.",
    remedy: [
      "enter it as what it is: `tidewater subscriber update <IMPI> --k ... --op ...`; OPc is computed from it",
      "see the other SIMs of the same batch: they have the same mistake",
    ],
    clauses: ["TS 35.206 §4.1", "TS 33.102 §6.3.2"],
  },
  "aka-wrong-key": {
    area: "authentication",
    severity: "failure",
    title: "The SIM and the HSS have different keys",
    symptom: "IMS AKA fails: the UE answers the challenge and gets 403 (Forbidden).",
    cause:
      "K or OPc of the subscriber is not that of the SIM (OP in place of OPc was tried and does not fit): a row of another SIM, exchanged digits, or a SIM with TUAK or its own Milenage constants.",
    remedy: [
      "compare K and OPc with the data sheet of the SIM, or write the SIM anew, then `tidewater subscriber update <IMPI> --k ... --opc ...`",
    ],
    clauses: ["TS 33.203 §6.1", "TS 35.206"],
  },
  "aka-network-refused": {
    area: "authentication",
    severity: "failure",
    title: "The SIM does not accept the network: MAC failure",
    symptom: "The UE answers each AKA challenge with an empty response, is challenged again and gives up.",
    cause:
      "The SIM has checked AUTN and found that it was made with another key: most often OP was entered as OPc (or OPc as OP), else K is wrong, or the SIM uses another algorithm than Milenage.",
    remedy: [
      "is what was given as OPc perhaps OP? Then `tidewater subscriber update <IMPI> --k ... --op ...`, and the other way round",
      "compare K with the data sheet of the SIM",
    ],
    clauses: ["TS 33.102 §6.3.3", "TS 24.229 §5.1.1.5.3"],
  },
  "sqn-resynchronised": {
    area: "authentication",
    severity: "notice",
    title: "The sequence number was out of step, and is right again",
    symptom: "The UE answers the first challenge with AUTS; the second one succeeds.",
    cause:
      "The SIM was used with another HSS, or the subscriber was provisioned anew with a lower SQN. It was set right by the procedure that is there for it.",
    remedy: ["nothing; when it happens at each registration, two HSSs serve the same SIM"],
    clauses: ["TS 33.102 §6.3.5", "TS 24.229 §5.4.1.2.3A"],
  },
  "sqn-out-of-step": {
    area: "authentication",
    severity: "failure",
    title: "The sequence number is out of step and cannot be set right",
    symptom: "The UE answers with AUTS (synchronisation failure) and does not get registered.",
    cause:
      "The HSS cannot verify AUTS: it was made with another K or OPc; or the SIM rejects the new vector too, because its SQN is at the end of its range.",
    remedy: [
      "compare K and OPc of the SIM with those of the subscriber",
      "set SQN above that of the SIM: `tidewater subscriber update <IMPI> --k ... --opc ... --sqn ...`",
    ],
    clauses: ["TS 33.102 §6.3.5", "TS 29.228 §6.3.1"],
  },
  "stale-nonce-loop": {
    area: "authentication",
    severity: "failure",
    title: "The UE answers old challenges for ever",
    symptom: "401 with stale=TRUE follows 401; the UE never uses the new nonce.",
    cause:
      "The UE keeps a nonce beyond its life (40 s), does not raise the nonce count, or does not understand stale=TRUE; or its answers take so long that each challenge has lapsed.",
    remedy: [
      "have the UE start from the newest challenge; a newer firmware, or another qop setting",
      "look at the times in the ladder: what lies between the 401 and the answer?",
    ],
    clauses: ["RFC 7616 §3.3", "TS 24.229 §5.4.1.2.3B"],
  },
  "challenge-not-answered": {
    area: "authentication",
    severity: "failure",
    title: "The UE does not answer the challenge",
    symptom: "REGISTER is answered 401, and nothing more comes.",
    cause:
      "The 401 does not reach the UE (NAT, firewall, it listens on another port), the UE has no password or cannot use the algorithm, or it waits for IPsec (Security-Server) that is not offered.",
    remedy: [
      "does the UE see the 401? The address that it was sent to stands in the ladder",
      "give the account a password and the user name of the private identity; switch off IPsec in the UE",
    ],
    clauses: ["TS 24.229 §5.1.1.5", "TS 24.229 §5.4.1.2.3"],
  },
  "sec-agree-not-supported": {
    area: "authentication",
    severity: "failure",
    title: "The UE insists on a security agreement (IPsec) that the P-CSCF does not make",
    symptom: "REGISTER with Security-Client is answered 420 (Bad Extension), Unsupported: sec-agree.",
    cause:
      "The UE requires the security mechanism agreement (Proxy-Require: sec-agree); this P-CSCF protects signalling by TLS or by SIP Digest over the registered flow.",
    remedy: [
      "switch IPsec off in the IMS profile of the UE (sec-agree optional), or use TLS",
      "a handset that cannot do without needs a P-CSCF with IPsec in front",
    ],
    clauses: ["RFC 3329 §2.3", "TS 33.203 §7"],
  },
  "too-many-wrong-passwords": {
    area: "authentication",
    severity: "failure",
    title: "The P-CSCF slows down a UE that has given many wrong answers",
    symptom: "Answers to challenges get 503 with Retry-After: 1.",
    cause:
      "More than `bono.password-tries` wrong answers for one user came from one address: a UE with an old password that never stops, or somebody who guesses.",
    remedy: [
      "correct or switch off the UE at the address in the ladder; the brake goes with the first right answer",
    ],
    clauses: ["TS 33.203 annex N"],
  },
} as const satisfies DiagnosisDefinitions;
