import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessage, type SipMessage } from "../../src/index.ts";
import { isLooped, loopHash } from "../../src/proxy/loop-detection.ts";

function invite(vias: readonly string[]): SipMessage {
  const lines = [
    "INVITE sip:bob@10.1.1.1 SIP/2.0",
    ...vias.map((branch) => `Via: SIP/2.0/TCP 10.0.0.1;branch=${branch}`),
    "From: <sip:a@h>;tag=1",
    "To: <sip:bob@h>",
    "Call-ID: c",
    "CSeq: 1 INVITE",
    "Route: <sip:token@member.example.com;lr>",
    "\r\n",
  ];
  const result = parseMessage(lines.join("\r\n"));
  return result.kind === "message" ? result.message : assert.fail(result.fault);
}

test("RFC 5393 §4.2 in a pool: what another member hands over as it is, is no loop; when it comes round again it is", () => {
  const hash = loopHash(invite(["z9hG4bKx"]));
  const member = `z9hG4bKpoolabc.${hash}`;
  const handed = invite([member, "z9hG4bKother"]);
  assert.equal(isLooped(handed, "z9hG4bKpool"), true);
  assert.equal(isLooped(handed, "z9hG4bKpool", true), false);
  assert.equal(isLooped(invite([member, member, "z9hG4bKother"]), "z9hG4bKpool", true), true);
});
