import { setTimeout as delay } from "node:timers/promises";

/** Where a Node that is sent SIGUSR1 lets itself be inspected. */
const INSPECTOR = "http://127.0.0.1:9229/json";
/** Pages that have become free are given back after a moment. */
const GIVEN_BACK_MS = 2000;

/**
 * A full collection in each of the processes, one after the other: afterwards resident memory is what is in use, not what the
 * collector has not yet looked at. Rejects when a process cannot be inspected.
 */
export async function collectGarbage(pids: Iterable<number>): Promise<void> {
  for (const pid of pids) {
    process.kill(pid, "SIGUSR1");
    const socket = await inspectorOf(pid);
    await command(socket, "HeapProfiler.collectGarbage");
    await command(socket, "HeapProfiler.collectGarbage");
    // The next process needs the port.
    await command(socket, "Runtime.evaluate", {
      expression: "setTimeout(() => process.getBuiltinModule('node:inspector').close(), 10)",
    });
    socket.close();
    await delay(200);
  }
  await delay(GIVEN_BACK_MS);
}

async function inspectorOf(pid: number): Promise<WebSocket> {
  for (let i = 0; i < 50; i++) {
    const listed = await fetch(INSPECTOR).then(
      (response) => response.json() as Promise<{ webSocketDebuggerUrl: string }[]>,
      () => [],
    );
    const url = listed[0]?.webSocketDebuggerUrl;
    if (url !== undefined) {
      const socket = new WebSocket(url);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error(`process ${pid} cannot be inspected`));
      });
      return socket;
    }
    await delay(100);
  }
  throw new Error(`process ${pid} does not let itself be inspected`);
}

function command(socket: WebSocket, method: string, params: object = {}): Promise<void> {
  return new Promise((resolve) => {
    socket.onmessage = () => resolve();
    socket.send(JSON.stringify({ id: 1, method, params }));
  });
}
