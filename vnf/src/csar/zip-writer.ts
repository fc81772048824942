import { crc32, deflateRawSync } from "node:zlib";

/** 1980-01-01 00:00:00, the first moment ZIP knows: the same bytes whenever a package is built. */
const DOS_TIME = 0;
const DOS_DATE = 0x21;
const UTF8_NAMES = 0x0800;
const VERSION = 20;
const STORED = 0;
const DEFLATED = 8;
const UNIX = 3 << 8;
const FILE_MODE = 0o100644;
/** What is compressed already (disk images) would only take time. */
const STORE = /\.(?:qcow2|gz|xz|zst|zip|csar)$/;

/** A ZIP archive (APPNOTE 6.3) of files by path, in the order of their paths; the same files make the same bytes. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path) ?? new Uint8Array();
    const name = Buffer.from(path);
    const packed = STORE.test(path) ? bytes : deflateRawSync(bytes, { level: 9 });
    const method = packed.length < bytes.length ? DEFLATED : STORED;
    const data = method === DEFLATED ? packed : bytes;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(DOS_TIME, 6);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(signature(0x04034b50), common, name, data);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(UNIX | VERSION, 0);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(FILE_MODE * 0x10000, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(signature(0x02014b50), head, common, tail, name);
    offset += 30 + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.size, 4);
  end.writeUInt16LE(files.size, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
