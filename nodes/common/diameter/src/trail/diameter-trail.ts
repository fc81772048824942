import type { Trail, TrailEnds } from "@ims/runtime";
import { AvpFlag, THREE_GPP } from "../codec/avp.ts";
import type { Dictionary } from "../codec/command.ts";
import { HEADER_LENGTH } from "../codec/header.ts";
import { diameterReader } from "./read-diameter.ts";

/** MAR and MAA: TS 29.229 §6.1.7, §6.1.8. The only messages of Cx with keys and proofs in them. */
const MULTIMEDIA_AUTH = 303;
/** ACR and ACA: RFC 6733 §9.7. SDP may hold keys of media. */
const ACCOUNTING = 271;
const SIP_AUTH_DATA_ITEM = 612;
/** SIP-Authentication-Scheme, SIP-Item-Number. */
const HARMLESS: ReadonlySet<number> = new Set([608, 613]);
/** Service-Information, IMS-Information, SDP-Media-Component. */
const GROUPS_WITH_SDP: ReadonlySet<number> = new Set([873, 876, 843]);
/** SDP-Session-Description, SDP-Media-Description. */
const SDP: ReadonlySet<number> = new Set([842, 845]);

type Cleaner = (bytes: Buffer, start: number, end: number) => void;

/** What a node's trail is told of Diameter: the messages of its applications, without authentication data. */
export class DiameterTrail {
  readonly #trail: Trail;
  readonly #kind: number;

  constructor(trail: Trail, dictionary: Dictionary) {
    this.#trail = trail;
    this.#kind = trail.addReader("diameter", diameterReader(dictionary));
  }

  received(bytes: Buffer, start: number, end: number, ends: TrailEnds): void {
    this.#trail.octets(this.#kind, "in", ends, bytes, start, end, cleanerOf(bytes, start));
  }

  sent(bytes: Buffer, start: number, end: number, ends: TrailEnds): void {
    // CER, DWR and their like are of no call.
    if (bytes.readUInt32BE(start + 8) === 0) return;
    this.#trail.octets(this.#kind, "out", ends, bytes, start, end, cleanerOf(bytes, start));
  }

  /** A request of this node that got no answer. */
  unanswered(
    application: string,
    command: string,
    outcome: string,
    { userName, publicIdentity }: Readonly<Record<string, unknown>>,
  ): void {
    const identities = [userName, publicIdentity].flat().filter((one) => typeof one === "string");
    this.#trail.note({ kind: application, callId: "", what: command, identities, fields: { outcome } });
  }
}

function cleanerOf(bytes: Buffer, start: number): Cleaner | undefined {
  const code = bytes.readUIntBE(start + 5, 3);
  if (code === MULTIMEDIA_AUTH) return withoutAuthData;
  return code === ACCOUNTING ? withoutSdp : undefined;
}

/** Overwrites what is in SIP-Auth-Data-Item (TS 29.229 §6.3.13), and everything from where the bytes cannot be followed. */
export function withoutAuthData(bytes: Buffer, start: number, end: number): void {
  overAvps(bytes, start + HEADER_LENGTH, end, (code, vendorId, data, stop) => {
    if (code !== SIP_AUTH_DATA_ITEM || vendorId !== THREE_GPP) return;
    overAvps(bytes, data, stop, (inner, _vendor, from, to) => {
      if (!HARMLESS.has(inner)) bytes.fill(0, from, to);
    });
  });
}

/** Overwrites lines of SDP, and everything from where the bytes cannot be followed. */
export function withoutSdp(bytes: Buffer, start: number, end: number): void {
  const visit = (code: number, vendorId: number, data: number, stop: number): void => {
    if (vendorId !== THREE_GPP) return;
    if (GROUPS_WITH_SDP.has(code)) overAvps(bytes, data, stop, visit);
    else if (SDP.has(code)) bytes.fill(0, data, stop);
  };
  overAvps(bytes, start + HEADER_LENGTH, end, visit);
}

function overAvps(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (code: number, vendorId: number, data: number, stop: number) => void,
): void {
  let at = start;
  while (at < end) {
    const length = end - at < 8 ? 0 : bytes.readUIntBE(at + 5, 3);
    const vendor = end - at >= 12 && ((bytes[at + 4] ?? 0) & AvpFlag.vendor) !== 0;
    const head = vendor ? 12 : 8;
    if (length < head || at + length > end) {
      bytes.fill(0, at, end);
      return;
    }
    visit(bytes.readUInt32BE(at), vendor ? bytes.readUInt32BE(at + 8) : 0, at + head, at + length);
    at += (length + 3) & ~3;
  }
}
