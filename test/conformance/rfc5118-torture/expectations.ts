import type { EdgeOutcome, Facts, ParserOutcome, Torture } from "../torture.ts";
import { ipv6 } from "./messages.ts";

const accepted = (facts: Facts): ParserOutcome => ({ kind: "accepted", facts });
const answered = (...statuses: readonly number[]): EdgeOutcome => ({ kind: "answered", statuses });
/** TS 24.229 §5.2.6.3: requests other than REGISTER only from registered UEs; a BYE of a dialog unknown may also get 481. */
const notRegistered = answered(403);
const noDialog = answered(403, 481);
/** The registrar named is not ours and the user is nobody's: refused by the P-CSCF, the I-CSCF, or for want of a way there. */
const foreignRegistrar = answered(403, 404);

const register = {
  method: "REGISTER",
  via: ["UDP", "2001:db8::9:1", "z9hG4bKas3-111"],
  vias: 1,
  callId: "SSG9559905523997077@hlau_4100",
  cseq: 98176,
  fromTag: "81x2",
  toTag: "",
  maxForwards: 70,
  contacts: 1,
  body: 0,
} as const;

interface Row extends Omit<Torture, "text" | "identity" | "tcp"> {
  readonly name: keyof typeof ipv6;
  readonly tcp?: EdgeOutcome;
}

const rows: readonly Row[] = [
  {
    name: "ipv6-good",
    clause: "4.1",
    what: "IPv6 references in Request-URI, Via and Contact",
    why: "well-formed",
    parser: accepted({ ...register, requestUri: "sip:[2001:db8::10]" }),
    udp: foreignRegistrar,
  },
  {
    name: "ipv6-bad",
    clause: "4.2",
    what: "an IPv6 address without brackets in the Request-URI",
    why: "no hostport: 400",
    parser: accepted({ ...register, requestUri: "sip:2001:db8::10" }),
    udp: answered(400),
  },
  {
    name: "port-ambiguous",
    clause: "4.3",
    what: "what was meant as a port inside the brackets",
    why: "well-formed: it is part of the address",
    parser: accepted({ ...register, requestUri: "sip:[2001:db8::10:5070]" }),
    udp: foreignRegistrar,
  },
  {
    name: "port-unambiguous",
    clause: "4.4",
    what: "a port after the brackets",
    why: "well-formed",
    parser: accepted({ ...register, requestUri: "sip:[2001:db8::10]:5070" }),
    udp: foreignRegistrar,
  },
  {
    name: "via-received-param-with-delim",
    clause: "4.5",
    what: "received with brackets, which its grammar does not have",
    why: "the RFC asks to be liberal here",
    parser: accepted({
      method: "BYE",
      requestUri: "sip:[2001:db8::10]",
      via: ["UDP", "2001:db8::9:1", "z9hG4bKas3-111"],
      vias: 1,
      callId: "SSG9559905523997077@hlau_4100",
      cseq: 321,
      fromTag: "81x2",
      toTag: "bd76ya",
      maxForwards: 70,
      contacts: 0,
      body: 0,
    }),
    udp: noDialog,
  },
  {
    name: "via-received-param-no-delim",
    clause: "4.5",
    what: "received without brackets, as its grammar wants it",
    why: "well-formed",
    parser: accepted({
      method: "OPTIONS",
      requestUri: "sip:[2001:db8::10]",
      via: ["UDP", "2001:db8::9:1", "z9hG4bKas3"],
      vias: 1,
      callId: "SSG95523997077@hlau_4100",
      cseq: 921,
      fromTag: "81x2",
      toTag: "",
      maxForwards: 70,
      contacts: 1,
      body: 0,
    }),
    udp: notRegistered,
  },
  {
    name: "ipv6-in-sdp",
    clause: "4.6",
    what: "IPv6 addresses in the session description, where brackets are wrong",
    why: "as printed its Content-Length is 17 more than its body: an error in a datagram, incomplete on a stream",
    parser: { kind: "refused", status: 400 },
    udp: answered(400),
    tcp: { kind: "incomplete" },
  },
  {
    name: "mult-ip-in-header",
    clause: "4.7",
    what: "IPv4 and IPv6 in one list of Via values",
    why: "well-formed",
    parser: accepted({
      method: "BYE",
      requestUri: "sip:user@host.example.net",
      via: ["UDP", "2001:db8::9:1", "z9hG4bKas3-111"],
      vias: 3,
      callId: "997077@lau_4100",
      cseq: 89187,
      fromTag: "81x2",
      toTag: "9817--94",
      maxForwards: 70,
      contacts: 0,
      body: 0,
    }),
    udp: noDialog,
  },
  {
    name: "mult-ip-in-sdp",
    clause: "4.8",
    what: "IPv4 and IPv6 in one session description",
    why: "well-formed; as printed its Content-Length is 8 less than its body, and the rest is ignored",
    parser: accepted({
      method: "INVITE",
      requestUri: "sip:user@[2001:db8::10]",
      via: ["UDP", "2001:db8::9:1", "z9hG4bKas3-111"],
      vias: 1,
      callId: "SSG9559905523997077@hlau_4100",
      cseq: 8912,
      fromTag: "81x2",
      toTag: "",
      maxForwards: 70,
      contacts: 1,
      body: 181,
    }),
    udp: notRegistered,
  },
  {
    name: "ipv4-mapped-ipv6",
    clause: "4.9",
    what: "IPv4-mapped IPv6 addresses in Via, Contact and session description",
    why: "well-formed; as printed its Content-Length is 9 less than its body, and the rest is ignored",
    parser: accepted({
      method: "INVITE",
      requestUri: "sip:user@example.com",
      via: ["UDP", "::ffff:192.0.2.10", "z9hG4bKbh19"],
      vias: 2,
      callId: "SSG9559905523997077@hlau_4100",
      cseq: 612,
      fromTag: "81x2",
      toTag: "",
      maxForwards: 70,
      contacts: 1,
      body: 236,
    }),
    udp: notRegistered,
  },
  {
    name: "ipv6-bug-abnf-3-colons",
    clause: "4.10",
    what: "three colons before an embedded IPv4 address, as the grammar of RFC 3261 would have it",
    why: "a slip of RFC 3261's grammar, to be read as two",
    parser: accepted({
      method: "OPTIONS",
      requestUri: "sip:user@[2001:db8:::192.0.2.1]",
      via: ["UDP", "lab1.east.example.com", "z9hG4bKas3-111"],
      vias: 1,
      callId: "G9559905523997077@hlau_4100",
      cseq: 689,
      fromTag: "810x2",
      toTag: "",
      maxForwards: 70,
      contacts: 0,
      body: 0,
    }),
    udp: notRegistered,
  },
  {
    name: "ipv6-correct-abnf-2-colons",
    clause: "4.10",
    what: "two colons before an embedded IPv4 address",
    why: "well-formed",
    parser: accepted({
      method: "OPTIONS",
      requestUri: "sip:user@[2001:db8::192.0.2.1]",
      via: ["UDP", "lab1.east.example.com", "z9hG4bKas3-111"],
      vias: 1,
      callId: "G9559905523997077@hlau_4100",
      cseq: 689,
      fromTag: "810x2",
      toTag: "",
      maxForwards: 70,
      contacts: 0,
      body: 0,
    }),
    udp: notRegistered,
  },
];

const sdpAccepted = accepted({
  method: "INVITE",
  requestUri: "sip:user@[2001:db8::10]",
  via: ["UDP", "2001:db8::20", "z9hG4bKas3-111"],
  vias: 1,
  callId: "SSG9559905523997077@hlau_4100",
  cseq: 8612,
  fromTag: "81x2",
  toTag: "",
  maxForwards: 70,
  contacts: 1,
  body: 251,
});

/** The messages of RFC 5118 in its order, with file names of its archive, each with what is expected of us. */
export const tortures: readonly Torture[] = rows.map((row) => {
  const text = ipv6[row.name];
  return { ...row, text, identity: identityOf(text), tcp: row.tcp ?? row.udp };
});

/** Where the RFC prints a Content-Length that does not fit the body it prints: the same message with the one that does. */
export const withTrueLength: readonly Torture[] = tortures
  .filter(({ name }) => ["ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"].includes(name))
  .map((torture) => {
    const body = torture.text.slice(torture.text.indexOf("\r\n\r\n") + 4);
    const text = torture.text.replace(/(?<=Content-Length: )\d+/, String(body.length));
    return {
      ...torture,
      text,
      what: `${torture.what}; Content-Length put right`,
      why: "well-formed",
      parser: torture.name === "ipv6-in-sdp" ? sdpAccepted : withBody(torture.parser, body.length),
      udp: notRegistered,
      tcp: notRegistered,
    };
  });

function withBody(parser: ParserOutcome, body: number): ParserOutcome {
  return parser.kind === "accepted" ? accepted({ ...parser.facts, body }) : parser;
}

function identityOf(text: string): string[] {
  return [/branch=(\S+?)\r\n/.exec(text)?.[1] ?? "", /Call-ID: (\S+)/.exec(text)?.[1] ?? ""];
}
