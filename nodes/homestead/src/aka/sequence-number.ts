/** Sequence numbers as numbers of 48 bits, SEQ || IND with 5 bits of IND: TS 33.102 §C.1.1.1, profile of §C.3.2. */
const IND = 32;
const LIMIT = 2 ** 48;
/** Largest step a USIM takes (Δ of §C.2.1, value of §C.3.2): what is further ahead it takes for an attack. */
const DELTA = 2 ** 28;

/** The next SQN: SEQ counts up, IND goes round the array. Undefined when SEQ is used up. */
export function nextSqn(sqn: number): number | undefined {
  const seq = Math.floor(sqn / IND) + 1;
  const next = seq * IND + ((sqn + 1) % IND);
  return next < LIMIT ? next : undefined;
}

/** Whether a USIM whose highest SQN is `usim` would take what follows `home` (TS 33.102 §6.3.5 step 2). */
export function isInRange(home: number, usim: number): boolean {
  const ahead = Math.floor(home / IND) - Math.floor(usim / IND);
  return ahead >= 0 && ahead < DELTA;
}

export function sqnBytes(sqn: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(sqn, 0, 6);
  return bytes;
}

export function sqnOf(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(0, 6);
}
