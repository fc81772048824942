import assert from "node:assert/strict";
import { test } from "node:test";
import { descriptionIn, isEncoded, replaceDescription } from "../../src/media-gateway/body.ts";
import { parsed } from "../support/pcscf-bench.ts";

const SDP = "v=0\r\nm=audio 1 RTP/AVP 0\r\n";

function message(type: string, body: string, headers: readonly string[] = []) {
  return parsed(
    [
      "INVITE sip:bob@example.com SIP/2.0",
      "Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKa",
      ...["From: <sip:a@example.com>;tag=1", "To: <sip:b@example.com>", "Call-ID: c", "CSeq: 1 INVITE"],
      ...(type === "" ? [] : [`Content-Type: ${type}`]),
      ...headers,
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n"),
  );
}

/** Parts with their header lines. */
function multipart(...parts: readonly (readonly [head: string, body: string])[]): string {
  return `${parts.map(([head, body]) => `--b=1\r\n${head}\r\n\r\n${body}\r\n`).join("")}--b=1--\r\n`;
}

test("RFC 3261 §7.4: a session description is replaced, and Content-Length agrees", () => {
  for (const type of ["application/sdp", "Application/SDP; charset=utf-8"]) {
    const invite = message(type, SDP);
    const found = descriptionIn(invite);
    assert.ok(found);
    assert.equal(found.sdp, SDP);
    replaceDescription(invite, found, "v=0\r\nm=audio 22222 RTP/AVP 0 8\r\n");
    assert.match(
      invite.toString(),
      /\r\nContent-Length: 32\r\n(?:.*\r\n)*\r\nv=0\r\nm=audio 22222 RTP\/AVP 0 8\r\n$/,
    );
  }
});

test("RFC 5621 §3.1: of several parts that of the session is replaced, with its own length; the others stay octet for octet", () => {
  const location = [
    "Content-Type: application/pidf+xml\r\nContent-ID: <x@y>",
    "<presence/>\r\n\r\n--b=10\r\n",
  ] as const;
  const early = ["Content-Type: application/sdp\r\nContent-Disposition: early-session", SDP] as const;
  const own = [
    "content-type: application/sdp\r\nContent-Length: 27\r\nContent-Disposition: session;handling=required",
    SDP,
  ] as const;
  const invite = message('multipart/mixed; boundary="b=1"', multipart(location, early, own));
  const found = descriptionIn(invite);
  assert.ok(found);
  assert.equal(found.sdp, SDP);
  replaceDescription(invite, found, "v=0\r\n");
  const expected = multipart(location, early, [own[0].replace("27", "5"), "v=0\r\n"]);
  assert.equal(invite.body, expected);
  assert.equal(invite.header("Content-Length"), String(expected.length));
});

test("a body without a session description, or one that cannot be read, has none and stays as it is", () => {
  const part = ["Content-Type: application/sdp", SDP] as const;
  const cases = [
    message("", SDP),
    message("application/sdp", ""),
    message("text/plain", SDP),
    message("application/sdpx", SDP),
    message("application/sdp", SDP, ["Content-Encoding: gzip"]),
    message("multipart/mixed", multipart(part)),
    message("multipart/mixed;boundary=other", multipart(part)),
    message("multipart/mixed;boundary=b=1", "--b=1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"),
    message(
      "multipart/mixed;boundary=b=1",
      multipart(["Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64", "dj0w"]),
    ),
    message("multipart/mixed;boundary=b=1", "--b=1--\r\n"),
    message("multipart/mixed;boundary=b=1", `--b=1\r\n${"x".repeat(60_000)}`),
  ];
  for (const [index, one] of cases.entries()) assert.equal(descriptionIn(one), undefined, `case ${index}`);
  assert.equal(isEncoded(message("application/sdp", SDP, ["Content-Encoding: gzip"])), true);
  assert.equal(isEncoded(message("application/sdp", SDP)), false);
  assert.equal(descriptionIn(message("multipart/related;boundary=b=1", multipart(part)))?.sdp, SDP);
});
