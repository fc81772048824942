import { socketEndOf } from "@ims/runtime";
import type { NodeStep } from "../trail/ask-node.ts";
import type { Exchange } from "../trail/exchange.ts";
import { rungsOf } from "../trail/ladder.ts";
import { TcpFrames, udpFrame } from "./ip-frame.ts";

/** Block and option types of draft-ietf-opsawg-pcapng. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const END_OF_OPTIONS = 0;
const COMMENT = 1;
const APPLICATION = 4;
const INTERFACE_NAME = 2;
/** Packets begin with their IP header. */
const LINKTYPE_RAW = 101;

/** Of one comment, characters. */
const LONGEST_COMMENT = 4_000;

/**
 * Registrations and calls as a capture file: every message once, at the time when it was sent, between the real addresses; on one
 * interface for each node that told of it. SIP is in UDP datagrams and Diameter in TCP segments, in the clear whatever carried
 * them. What was decided stands as a comment at the message after it.
 */
export function pcapng(
  exchanges: readonly Exchange[],
  application: string,
): { readonly bytes: Buffer; readonly messages: number } {
  const blocks: Buffer[] = [sectionHeader(application)];
  const interfaces = new Map<string, number>();
  const interfaceOf = (node: string): number => {
    const known = interfaces.get(node);
    if (known !== undefined) return known;
    blocks.push(interfaceDescription(node));
    interfaces.set(node, interfaces.size);
    return interfaces.size - 1;
  };
  const packets: Packet[] = [];
  const tcp = new TcpFrames();
  const seen = new Set<string>();
  let notes: string[] = [];
  for (const rung of exchanges.flatMap(rungsOf).sort((a, b) => a.time - b.time)) {
    const { step, time } = rung;
    const name = `${step.node} ${step.sequence}`;
    // What belongs to two calls at once.
    if (seen.has(name)) continue;
    seen.add(name);
    const frame = rung.kind === "message" ? frameOf(step, tcp) : undefined;
    if (frame === undefined) notes.push(`${step.node}, ${step.kind}: ${step.title}`);
    else {
      packets.push({ node: step.node, time, frame, comments: notes });
      notes = [];
    }
  }
  packets.at(-1)?.comments.push(...notes);
  for (const packet of packets) {
    // The description of an interface stands before its packets.
    const number = interfaceOf(packet.node);
    blocks.push(enhancedPacket(number, packet));
  }
  return { bytes: Buffer.concat(blocks), messages: packets.length };
}

interface Packet {
  readonly node: string;
  readonly time: number;
  readonly frame: Buffer;
  readonly comments: string[];
}

/** Undefined for what no frame can be made of: a node of an earlier release, an address that is none. */
function frameOf({ kind, ends, direction, text, octets }: NodeStep, tcp: TcpFrames): Buffer | undefined {
  const [local, remote] = [socketEndOf(ends?.local ?? ""), socketEndOf(ends?.remote ?? "")];
  if (local === undefined || remote === undefined) return undefined;
  const [source, destination] = direction === "out" ? [local, remote] : [remote, local];
  if (octets !== undefined) return tcp.frame({ source, destination, payload: Buffer.from(octets, "base64") });
  if (kind !== "sip" || text === undefined) return undefined;
  return udpFrame({ source, destination, payload: Buffer.from(withItsLength(text), "latin1") });
}

/** Where a body is hidden, Content-Length says how long what stands there is: readers take it at its word. */
function withItsLength(text: string): string {
  const body = text.indexOf("\r\n\r\n") + 4;
  if (body < 4 || !text.includes("<hidden>", body)) return text;
  const length = text.length - body;
  return (
    text.slice(0, body).replace(/^(Content-Length|l)([ \t]*:[ \t]*)[0-9]+/im, `$1$2${length}`) +
    text.slice(body)
  );
}

function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8);
  return block(SECTION_HEADER, body, options([[APPLICATION, application]]));
}

function interfaceDescription(name: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  return block(INTERFACE_DESCRIPTION, body, options([[INTERFACE_NAME, name]]));
}

/** Times have microseconds, the default. */
function enhancedPacket(number: number, { time, frame, comments }: Packet): Buffer {
  const microseconds = BigInt(Math.round(time * 1000));
  const body = Buffer.alloc(20);
  body.writeUInt32LE(number, 0);
  body.writeUInt32LE(Number(microseconds >> 32n), 4);
  body.writeUInt32LE(Number(microseconds & 0xffff_ffffn), 8);
  body.writeUInt32LE(frame.length, 12);
  body.writeUInt32LE(frame.length, 16);
  return block(ENHANCED_PACKET, body, padded(frame), options(comments.map((text) => [COMMENT, text])));
}

function block(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, ...parts, tail]);
}

function options(list: readonly (readonly [number, string])[]): Buffer {
  if (list.length === 0) return Buffer.alloc(0);
  const parts = list.flatMap(([code, text]) => {
    const value = Buffer.from(text.slice(0, LONGEST_COMMENT));
    return [optionHead(code, value.length), padded(value)];
  });
  return Buffer.concat([...parts, optionHead(END_OF_OPTIONS, 0)]);
}

function optionHead(code: number, length: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(length, 2);
  return head;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
