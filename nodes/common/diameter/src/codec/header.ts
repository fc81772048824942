/** The Diameter header: RFC 6733 §3. */

export const HEADER_LENGTH = 20;
export const VERSION = 1;
export const HeaderFlag = {
  request: 0x80,
  proxiable: 0x40,
  error: 0x20,
  retransmitted: 0x10,
  reserved: 0x0f,
} as const;

export interface Header {
  readonly flags: number;
  readonly code: number;
  readonly applicationId: number;
  readonly hopByHop: number;
  readonly endToEnd: number;
}

/** What the length field at `offset` says; at least 4 bytes must be there. */
export function messageLength(bytes: Buffer, offset: number): number {
  return bytes.readUIntBE(offset + 1, 3);
}

/** Reads the header at `offset`; 20 bytes must be there. */
export function readHeader(bytes: Buffer, offset: number): Header {
  return {
    flags: bytes[offset + 4] as number,
    code: bytes.readUIntBE(offset + 5, 3),
    applicationId: bytes.readUInt32BE(offset + 8),
    hopByHop: bytes.readUInt32BE(offset + 12),
    endToEnd: bytes.readUInt32BE(offset + 16),
  };
}
