import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** An open socket of the add-on. */
export type MmsgHandle = { readonly mmsg: unique symbol };

/** What native/datagrams.c exports; its comments say what is passed. */
export interface MmsgAddon {
  open(
    family: 4 | 6,
    host: string,
    port: number,
    receiveBuffer: number,
    buffers: readonly [inBytes: Buffer, inRows: Buffer, outBytes: Buffer, outRows: Buffer],
    ready: () => void,
    how: number,
  ): MmsgHandle;
  bind(family: 4 | 6, host: string, port: number, receiveBuffer: number): number;
  unbind(descriptor: number): void;
  receive(handle: MmsgHandle): number;
  send(handle: MmsgHandle, count: number): number;
  port(handle: MmsgHandle): number;
  close(handle: MmsgHandle): void;
  addressText(bytes: Buffer): string;
  addressBytes(text: string): Buffer | undefined;
}

/** Datagrams by one system call, and words of a row: as in datagrams.c. */
export const BATCH = 64;
export const ROW_WORDS = 8;
/** Word of a row: how long a datagram received waited in the socket, microseconds. */
export const WAITED_WORD = 7;

/** How a port is had, if not by the descriptor of a bound socket: as in datagrams.c. */
export const ALONE = -1;
export const AMONG_OTHERS = -2;

let loaded: MmsgAddon | undefined | "none";

/** The add-on that scripts/build-addon has made, or undefined: no compiler, or not Linux. Looked for once a process. */
export function mmsgAddon(): MmsgAddon | undefined {
  if (loaded === undefined) {
    const file = fileURLToPath(new URL(`../../native/build/datagrams-${process.arch}.node`, import.meta.url));
    loaded = existsSync(file) ? load(file) : "none";
  }
  return loaded === "none" ? undefined : loaded;
}

function load(file: string): MmsgAddon | "none" {
  try {
    return createRequire(import.meta.url)(file) as MmsgAddon;
  } catch {
    // Built for another C library or architecture: node:dgram does the same work.
    return "none";
  }
}
