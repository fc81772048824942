import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { parseMessage, type SipMessage } from "@ims/sip";
import { type RawSipClient, rawTcpClient, rawUdpClient } from "../support/raw-sip-client.ts";
import { type EdgeOutcome, fresh, type Torture } from "./torture.ts";

/** Where UEs reach the core. */
export interface Edge {
  readonly host: string;
  readonly udpPort: number;
  readonly tcpPort: number;
}

function suffix(): string {
  return `x${randomBytes(6).toString("hex")}`;
}

/** A plain REGISTER; whatever the answer is, it shows that the server still serves. */
function probe(
  host: string,
  transport: "UDP" | "TCP",
): { text: string; isAnswer: (message: string) => boolean } {
  const id = `probe-${suffix()}`;
  const sentBy = host.includes(":") ? `[${host}]` : host;
  const text = [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/${transport} ${sentBy}:5060;branch=z9hG4bK${id};rport`,
    "Max-Forwards: 70",
    "From: <sip:6505550000@example.com>;tag=probe",
    "To: <sip:6505550000@example.com>",
    `Call-ID: ${id}`,
    "CSeq: 1 REGISTER",
    `Contact: <sip:6505550000@${sentBy}:5060>`,
    "Content-Length: 0",
  ].join("\r\n");
  return {
    text: `${text}\r\n\r\n`,
    isAnswer: (message) => message.includes(`\r\nCall-ID: ${id}\r\n`) && isFinal(message),
  };
}

function isFinal(message: string): boolean {
  return /^SIP\/2\.0 [2-6]/.test(message);
}

/** The server answers a well-behaved UE on another socket. */
export async function checkServes(t: Pick<TestContext, "after">, edge: Edge): Promise<void> {
  const udp = await rawUdpClient(t, { host: edge.host, port: edge.udpPort });
  const { text, isAnswer } = probe(edge.host, "UDP");
  udp.send(text);
  await udp.expect("an answer to a plain REGISTER over UDP", isAnswer);
  const tcp = await rawTcpClient(t, { host: edge.host, port: edge.tcpPort });
  const other = probe(edge.host, "TCP");
  tcp.send(other.text);
  await tcp.expect("an answer to a plain REGISTER over TCP", other.isAnswer);
  tcp.end();
}

export async function checkUdp(t: Pick<TestContext, "after">, edge: Edge, torture: Torture): Promise<void> {
  const client = await rawUdpClient(t, { host: edge.host, port: edge.udpPort });
  const text = fresh(torture, suffix());
  client.send(text);
  await checkOutcome(client, text, torture.udp, edge, "UDP");
}

/** `bytewise`: each byte in a write of its own. */
export async function checkTcp(
  t: Pick<TestContext, "after">,
  edge: Edge,
  torture: Torture,
  bytewise = false,
): Promise<void> {
  const client = await rawTcpClient(t, { host: edge.host, port: edge.tcpPort });
  const text = fresh(torture, suffix());
  if (bytewise) await client.sendByteByByte(text);
  else client.send(text);
  const outcome = torture.tcp;
  if (outcome.kind === "incomplete") {
    await checkServes(t, edge);
    assert.deepEqual(client.received, []);
    assert.equal(client.closed, false, "the rest of the message may still come");
    client.end();
    await client.expectClose();
    return;
  }
  if (outcome.kind === "each" && closes(outcome)) {
    await client.expectClose();
    checkAnswersBeforeClose(text, client.received, outcome.statuses);
    return;
  }
  await checkOutcome(client, text, outcome, edge, "TCP");
  if (closes(outcome)) await client.expectClose();
}

async function checkOutcome(
  client: RawSipClient,
  text: string,
  outcome: EdgeOutcome,
  edge: Edge,
  transport: "UDP" | "TCP",
): Promise<void> {
  switch (outcome.kind) {
    case "answered":
      checkResponse(text, await client.expect("a final response", isFinal), outcome.statuses);
      return;
    case "each": {
      for (const [index, request] of requestsOf(text).entries()) {
        const callId = callIdOf(request);
        const response = await client.expect(
          `a final response for ${callId}`,
          (message) => isFinal(message) && callIdOf(message) === callId,
        );
        checkResponse(request, response, outcome.statuses[index] ?? []);
      }
      return;
    }
    case "silent": {
      // Messages of one sender are taken in order: the answer to the next one shows that there was none to this.
      const next = probe(edge.host, transport);
      client.send(next.text);
      await client.expect("an answer to the message after it", next.isAnswer);
      const answers = client.received.filter((message) => !next.isAnswer(message) && isFinal(message));
      assert.deepEqual(answers, []);
      return;
    }
    case "incomplete":
      assert.fail("nothing is incomplete on UDP");
  }
}

/** The messages of a text that holds several, an empty line between them. */
function requestsOf(text: string): string[] {
  return text.split(/(?<=\r\n\r\n)\r\n(?=\S)/);
}

/** An answer that takes its time may find the stream closed: RFC 3261 §18.3 leaves nothing to send it on. */
function checkAnswersBeforeClose(
  text: string,
  received: readonly string[],
  statuses: readonly (readonly number[])[],
): void {
  const finals = received.filter(isFinal);
  assert.notEqual(finals.length, 0, "at least what needs no other node is answered");
  for (const [index, request] of requestsOf(text).entries())
    for (const response of finals.filter((one) => callIdOf(one) === callIdOf(request)))
      checkResponse(request, response, statuses[index] ?? []);
}

function callIdOf(message: string): string {
  return /^(?:Call-ID|i)[ \t]*:[ \t]*(.*?)[ \t]*$/im.exec(headOf(message))?.[1] ?? "";
}

function headOf(message: string): string {
  return message.slice(0, message.indexOf("\r\n\r\n") + 2).replaceAll("\r\n", "\n");
}

/** RFC 3261 §8.2.6: the status, and what a response takes over from its request. */
function checkResponse(request: string, response: string, statuses: readonly number[]): void {
  const status = Number(response.slice(8, 11));
  assert.ok(statuses.includes(status), `${response.slice(0, response.indexOf("\r\n"))}, not ${statuses}`);
  const parsed = parseMessage(response);
  assert.equal(parsed.kind, "message", `a response that can be read:\n${response}`);
  const answer = (parsed as { message: SipMessage }).message;
  const asked = parseMessage(request).message;
  assert.equal(answer.topVia?.branch, asked?.topVia?.branch);
  if (asked?.has("Call-ID") === true) assert.equal(answer.callId, asked.callId);
  if (asked?.has("CSeq") === true) assert.equal(answer.header("CSeq"), asked.header("CSeq"));
  if (asked?.has("To") === true) assert.notEqual(answer.toTag, "", "RFC 3261 §8.2.6.2: To gets a tag");
  if (status === 420) checkUnsupported(request, answer);
}

/** RFC 3261 §16.3 step 5: what the proxy does not support of Proxy-Require, nothing of Require. */
function checkUnsupported(request: string, answer: SipMessage): void {
  const asked = parseMessage(request).message;
  assert.deepEqual(answer.values("Unsupported"), asked?.values("Proxy-Require"));
}

/** All at once on one connection, in one write: each gets the response it would get alone. */
export async function checkPipelined(
  t: Pick<TestContext, "after">,
  edge: Edge,
  tortures: readonly Torture[],
): Promise<void> {
  const client = await rawTcpClient(t, { host: edge.host, port: edge.tcpPort });
  const sent = tortures.map((torture) => ({ torture, text: fresh(torture, suffix()) }));
  client.send(sent.map(({ text }) => text).join(""));
  let expected = 0;
  for (const { torture, text } of sent) {
    const outcome = torture.tcp;
    if (outcome.kind === "silent") continue;
    assert.ok(outcome.kind === "answered");
    const key = keyOf(text);
    const response = await client.expect(
      `a final response for ${torture.name}`,
      (message) => isFinal(message) && keyOf(message) === key,
    );
    checkResponse(text, response, outcome.statuses);
    expected += 1;
  }
  const next = probe(edge.host, "TCP");
  client.send(next.text);
  await client.expect("an answer to the message after them", next.isAnswer);
  const finals = client.received.filter(isFinal);
  assert.equal(finals.length, expected + 1, "one final response for each request");
}

function keyOf(message: string): string {
  const parsed = parseMessage(message).message;
  return `${parsed?.callId} ${parsed?.topVia?.branch}`;
}

function closes(outcome: EdgeOutcome): boolean {
  return (outcome.kind === "answered" || outcome.kind === "each") && outcome.closed === true;
}

/** Nothing can follow it on its connection. */
export function endsStream({ tcp, parser, text }: Torture): boolean {
  if (tcp.kind === "incomplete" || closes(tcp)) return true;
  return parser.kind === "accepted" && text.length > text.indexOf("\r\n\r\n") + 4 + parser.facts.body;
}
