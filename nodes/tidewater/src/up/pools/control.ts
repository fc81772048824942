import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

/** What may be asked of a running `tidewater up --pools`: one JSON line over its socket. */
const request = z.discriminatedUnion("command", [
  z.object({ command: z.literal("status") }),
  z.object({ command: z.literal("scale"), pools: z.string().max(200) }),
  z.object({ command: z.literal("restart"), names: z.array(z.string().max(64)).min(1).max(300) }),
]);
export type ControlRequest = z.output<typeof request>;

/** What comes back, a line each: progress, then one end. */
export type ControlReply =
  | { readonly progress: string }
  | { readonly done: unknown }
  | { readonly refused: string };

const reply = z.union([
  z.object({ progress: z.string() }),
  z.object({ refused: z.string() }),
  z.object({ done: z.unknown() }),
]);

/** Longest path of a UNIX socket, less one. */
const MAX_PATH = 107;
const MAX_LINE = 64 * 1024;

export function controlSocketOf(stateDir: string): string {
  return join(stateDir, "up.sock");
}

/**
 * Answers requests on the socket of `stateDir`; only this user can reach it. Throws when another `up` runs there already.
 */
export async function openControl(
  stateDir: string,
  handle: (request: ControlRequest, progress: (line: string) => void) => Promise<unknown>,
): Promise<{ close(): void }> {
  const path = controlSocketOf(stateDir);
  if (Buffer.byteLength(path) > MAX_PATH)
    throw new Error(
      `--state-dir ${stateDir}: too long a path for the socket in it, ${MAX_PATH} bytes at most`,
    );
  if (await isAnswered(path))
    throw new Error(
      `--state-dir ${stateDir}: another tidewater up is running with it (pid ${pidIn(stateDir)})`,
    );
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    serve(socket, handle);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  writeFileSync(join(stateDir, "up.pid"), `${process.pid}\n`);
  return {
    close() {
      for (const socket of open) socket.destroy();
      server.close();
      rmSync(join(stateDir, "up.pid"), { force: true });
    },
  };
}

function serve(
  socket: Socket,
  handle: (request: ControlRequest, progress: (line: string) => void) => Promise<unknown>,
): void {
  const send = (answer: ControlReply): void => void socket.write(`${JSON.stringify(answer)}\n`);
  let length = 0;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    length += chunk.length;
    if (length > MAX_LINE) socket.destroy();
  });
  // The interface passes errors of the socket on.
  const lines = createInterface({ input: socket }).on("error", () => undefined);
  lines.once("line", (line) => {
    const parsed = request.safeParse(jsonOf(line));
    if (!parsed.success) {
      send({ refused: "that is no request" });
      return void socket.end();
    }
    handle(parsed.data, (progress) => send({ progress }))
      .then(
        (done) => send({ done: done ?? null }),
        (error: unknown) => send({ refused: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => socket.end());
  });
}

/** Asks the `up` that runs with `stateDir`. Rejects with one line when it refuses or there is none. */
export function askControl(
  stateDir: string,
  asked: ControlRequest,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlSocketOf(stateDir), () => socket.write(`${JSON.stringify(asked)}\n`));
    socket.once("error", () =>
      reject(
        new Error(`no tidewater up --pools is running with the state directory ${stateDir} (--state-dir)`),
      ),
    );
    socket.once("close", () => reject(new Error("tidewater up ended before it was done")));
    const giveUp = (): void => void socket.destroy();
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", giveUp));
    const lines = createInterface({ input: socket }).on("error", () => undefined);
    lines.on("line", (line) => {
      const parsed = reply.safeParse(jsonOf(line));
      if (!parsed.success) reject(new Error(`what answers in ${stateDir} is no tidewater up`));
      else if ("progress" in parsed.data) progress(parsed.data.progress);
      else if ("refused" in parsed.data) reject(new Error(parsed.data.refused));
      else resolve(parsed.data.done);
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function pidIn(stateDir: string): string {
  try {
    return readFileSync(join(stateDir, "up.pid"), "utf8").trim();
  } catch {
    return "unknown";
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
