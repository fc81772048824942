/**
 * MD5 (RFC 1321) and SHA-256 (FIPS 180-4) of text as UTF-8, in hex: digests of RFC 7616. Ours and not the browser's: that has no MD5, and gives
 * SHA-256 only later, when a page that is being closed is gone.
 */
export function md5(text) {
  const words = blocks(text, true);
  let [a, b, c, d] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let at = 0; at < words.length; at += 16) {
    const before = [a, b, c, d];
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] & 15;
      const sum = (a + mixed + MD5_SINES[i] + words[at + word]) | 0;
      const by = MD5_SHIFTS[round][i & 3];
      [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) | 0];
    }
    [a, b, c, d] = [a, b, c, d].map((each, i) => (each + before[i]) | 0);
  }
  return [a, b, c, d].map((word) => hex(swapped(word))).join("");
}

export function sha256(text) {
  const words = blocks(text, false);
  const state = SHA_START.slice();
  const w = new Int32Array(64);
  for (let at = 0; at < words.length; at += 16) {
    for (let i = 0; i < 64; i++)
      w[i] =
        i < 16
          ? words[at + i]
          : (turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >>> 10)) +
            w[i - 7] +
            (turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >>> 3)) +
            w[i - 16];
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one =
        (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + SHA_ROUNDS[i] + w[i]) |
        0;
      const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    for (const [i, each] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] + each) | 0;
  }
  return state.map(hex).join("");
}

const MD5_SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
const MD5_SINES = Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))) | 0);
const PRIMES = primes(64);
/** Of the square and cube roots of primes the first 32 bits behind the point. */
const SHA_START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const SHA_ROUNDS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));

function primes(count) {
  const found = [];
  for (let number = 2; found.length < count; number++)
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  return found;
}

function fraction(number) {
  return ((number - Math.floor(number)) * 2 ** 32) | 0;
}

function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}

/** The text with its padding, as 32 bit words. */
function blocks(text, littleEndian) {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer((((bytes.length + 8) >> 6) + 1) * 64));
  for (const [at, byte] of bytes.entries()) padded.setUint8(at, byte);
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - (littleEndian ? 8 : 4), bytes.length * 8, littleEndian);
  return Int32Array.from({ length: padded.byteLength / 4 }, (_, at) => padded.getInt32(at * 4, littleEndian));
}

function swapped(word) {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function hex(word) {
  return (word >>> 0).toString(16).padStart(8, "0");
}
