import assert from "node:assert/strict";
import { test } from "node:test";
import { exercise } from "./exercise.ts";

/** What the header fields of a request look like around the value under test. */
const PLACES: Readonly<Record<string, (filler: string) => string>> = {
  "Request-URI": (filler) => request(`sip:${filler.replace(/[\r\n ]/g, "x")}`, ""),
  "Request-URI, as a user": (filler) => request(`sip:${filler.replace(/[\r\n ]/g, "x")}@a`, ""),
  "Request-URI, as a parameter": (filler) => request(`sip:a@b;${filler.replace(/[\r\n ]/g, "x")}`, ""),
  "start-line": (filler) => `INVITE ${filler}${headers("")}`,
  Via: (filler) => request("sip:a@b", `v: ${filler}`),
  "Via sent-by": (filler) => request("sip:a@b", `v: SIP/2.0/UDP ${filler}`),
  "Via parameters": (filler) => request("sip:a@b", `v: SIP/2.0/UDP a;${filler}`),
  From: (filler) => request("sip:a@b", `f: ${filler}`),
  "To display name": (filler) => request("sip:a@b", `t: "${filler}`),
  "To URI": (filler) => request("sip:a@b", `t: <sip:${filler}`),
  "To parameters": (filler) => request("sip:a@b", `t: <sip:a@b>;${filler}`),
  Contact: (filler) => request("sip:a@b", `m: ${filler}`),
  Route: (filler) => request("sip:a@b", `Route: <sip:a;lr>,${filler}`),
  "Record-Route": (filler) => request("sip:a@b", `Record-Route: ${filler}`),
  CSeq: (filler) => request("sip:a@b", `CSeq: ${filler}`),
  "Call-ID": (filler) => request("sip:a@b", `i: ${filler}`),
  "Content-Length": (filler) => request("sip:a@b", `l: ${filler}`),
  "Max-Forwards": (filler) => request("sip:a@b", `Max-Forwards: ${filler}`),
  Supported: (filler) => request("sip:a@b", `k: ${filler}`),
  "unknown header field": (filler) => request("sip:a@b", `X: ${filler}`),
  "header field name": (filler) => request("sip:a@b", filler),
  "whole message": (filler) => filler,
  "whole header section": (filler) => `INVITE sip:a@b SIP/2.0\r\n${filler}`,
};

const FILLERS = [
  ..."  \t,;<>\"\\=:@?%/()[]*a0.-_'\0\r\n\xff".slice(1).split(""),
  "\r\n",
  "\r\n ",
  "\r\n\t",
  "a\n",
  "a\r",
  "a:\r\n",
  "Via: a\r\n",
  "a:b\r\n ",
  " ,",
  ", ",
  '",',
  "<,",
  "<>",
  "<>,",
  ';a="',
  ";a=b",
  ";a",
  "; ",
  " ;",
  '\\"',
  '""',
  '" ',
  "a.",
  "a-",
  "-a",
  "a@",
  "a:",
  "1:",
  ": ",
  " :",
  "[:",
  "]",
  "%4",
  "%41",
  "sip:",
  "sip:a@b,",
  "<sip:a@b>,",
  "SIP/2.0/UDP a,",
  "SIP / ",
  "\xe9 ",
];

function headers(line: string): string {
  return [
    "",
    "Via: SIP/2.0/UDP a;branch=z9hG4bKa",
    "From: <sip:a@b>;tag=1",
    "To: <sip:a@b>",
    "Call-ID: a",
    "CSeq: 1 INVITE",
    line,
  ]
    .filter((one) => line === "" || one === "" || one === line || nameOf(one) !== nameOf(line))
    .join("\r\n")
    .concat("\r\n\r\n");
}

function nameOf(line: string): string {
  const name = line.slice(0, line.indexOf(":")).toLowerCase();
  return { v: "via", f: "from", t: "to", i: "call-id" }[name] ?? name;
}

function request(uri: string, line: string): string {
  return `INVITE ${uri} SIP/2.0${headers(line)}`;
}

const FIRST = 8 * 1024;
/** Four times the largest message the transports take. */
const LAST = 256 * 1024;
/** A linear pass over the largest size takes a few ms; a quadratic one shows long before it. */
const SANITY_MS = 400;

/** Best of a few, so that a pause of the machine or of the collector is not taken for work. */
function fastest(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4 && (round === 0 || best > SANITY_MS / 8); round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

for (const [place, build] of Object.entries(PLACES))
  test(`${place}: whatever is repeated there, the work grows with the size and no faster`, () => {
    for (const filler of FILLERS)
      for (let size = FIRST; size <= LAST; size *= 2) {
        const text = build(filler.repeat(Math.ceil(size / filler.length)));
        const took = fastest(() => exercise(text));
        assert.ok(
          took < SANITY_MS,
          `${JSON.stringify(filler)} to ${size} octets took ${Math.round(took)} ms`,
        );
      }
  });

for (const line of [
  "a: b",
  "Via: SIP/2.0/UDP a",
  "Contact: <sip:a@b>",
  "Content-Length: 0",
  "__proto__: a",
  "a:",
  "x",
])
  test(`10,000 times ${JSON.stringify(line)} is refused or read, in little time`, () => {
    const text = `INVITE sip:a@b SIP/2.0\r\n${`${line}\r\n`.repeat(10_000)}\r\n`;
    assert.ok(fastest(() => exercise(text)) < SANITY_MS);
  });
