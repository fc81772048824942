/** A file of an archive. */
export interface TarEntry {
  /** Relative, with `/`; 99 bytes of ASCII at most. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

const BLOCK = 512;

/** A tape archive (POSIX.1-2017 pax utility, ustar interchange format) of regular files that only their owner may read. */
export function tarOf(entries: readonly TarEntry[], modified: number): Buffer {
  const parts: Buffer[] = [];
  for (const { name, content } of entries) {
    const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : Buffer.from(content);
    parts.push(headerOf(name, bytes.length, modified), bytes);
    parts.push(Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  }
  // Two blocks of zeros end it.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(name: string, size: number, modified: number): Buffer {
  if (!/^[\x21-\x7e]{1,99}$/.test(name)) throw new RangeError(`no name for a file of an archive: ${name}`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void => {
    header.write(
      `${Math.floor(value)
        .toString(8)
        .padStart(width - 1, "0")}\0`,
      at,
      "latin1",
    );
  };
  header.write(name, 0, "latin1");
  octal(0o600, 100, 8);
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(modified / 1000, 136, 12);
  header.write("0", 156, "latin1"); // regular file
  header.write("ustar\u000000", 257, "latin1");
  // The sum is made with its own field as spaces.
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}
