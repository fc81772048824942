import net from "node:net";
import type { Clock, Timer } from "@ims/runtime";
import { StoreError } from "../errors.ts";
import type { ServerAddress } from "./server-address.ts";
import { isEntryKey } from "./wire-key.ts";

export type Dump =
  | { readonly kind: "keys"; readonly keys: readonly string[] }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** A dump that brings nothing for so long has failed. */
const IDLE_MS = 5_000;
/** Another dump is going on: asked again after this pause, this often. */
const BUSY_PAUSE_MS = 200;
const BUSY_TRIES = 50;
const MAX_LINE = 4096;

/** Names of all our entries on a server, over a connection of its own: the dump would hold up replies. */
export async function metadump(address: ServerAddress, clock: Clock): Promise<Dump> {
  for (let i = 0; i < BUSY_TRIES; i++) {
    const dump = await dumpOnce(address, clock);
    if (dump !== "busy") return dump;
    await new Promise<void>((resolve) => clock.setTimer(BUSY_PAUSE_MS, resolve));
  }
  return failed(address, "lru_crawler is busy");
}

function dumpOnce(address: ServerAddress, clock: Clock): Promise<Dump | "busy"> {
  return new Promise((resolve) => {
    const keys: string[] = [];
    let rest = "";
    let watch: Timer | undefined;
    const socket = net.connect({ host: address.host, port: address.port });
    const finish = (dump: Dump | "busy"): void => {
      watch?.cancel();
      socket.destroy();
      resolve(dump);
    };
    const alive = (): void => {
      watch?.cancel();
      watch = clock.setTimer(IDLE_MS, () => finish(failed(address, "the dump stopped")));
    };
    alive();
    socket.setEncoding("latin1");
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish(failed(address, error.code ?? error.message)),
    );
    socket.on("close", () => finish(failed(address, "closed in the middle of a dump")));
    socket.on("connect", () => socket.write("lru_crawler metadump all\r\n"));
    socket.on("data", (chunk: string) => {
      alive();
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE) return finish(failed(address, "a dump without line ends"));
      for (const line of lines) {
        if (line.startsWith("END")) return finish({ kind: "keys", keys });
        if (line.startsWith("BUSY")) return finish("busy");
        if (!line.startsWith("key=")) return finish(failed(address, "not a dump"));
        const key = keyOf(line);
        if (key !== undefined && isEntryKey(key)) keys.push(key);
      }
    });
  });
}

/** The key of a line such as `key=r%2Faor%2Fa exp=... la=...`. */
function keyOf(line: string): string | undefined {
  const end = line.indexOf(" ");
  try {
    return decodeURIComponent(line.slice(4, end < 0 ? line.length : end));
  } catch {
    return undefined;
  }
}

function failed(address: ServerAddress, problem: string): Dump {
  return {
    kind: "unavailable",
    cause: new StoreError({ code: "STORE_SERVER", server: address.id, problem }),
  };
}
