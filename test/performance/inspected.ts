import { setTimeout as delay } from "node:timers/promises";

/** Where a Node that is sent SIGUSR1 lets itself be inspected. */
const INSPECTOR = "http://127.0.0.1:9229/json";
/** The port is free again a moment after it was closed. */
const CLOSED_MS = 200;

/** A process that lets itself be inspected. */
export interface Inspected {
  /** One command of the inspector's protocol; rejects when it is refused. */
  command(method: string, params?: object): Promise<unknown>;
  /** The value of an expression in the process, as JSON has it; rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
}

/**
 * Lets `work` inspect a process and closes its inspector again: the next process needs the port. Rejects when the process does not let itself
 * be inspected, or when another one has the port.
 */
export async function inspect<T>(pid: number, work: (inspected: Inspected) => Promise<T>): Promise<T> {
  process.kill(pid, "SIGUSR1");
  const socket = await socketTo(pid);
  const inspected = inspectedBy(socket);
  try {
    const found = await inspected.evaluate("process.pid");
    if (found !== pid) throw new Error(`port 9229 is that of process ${found}, not of ${pid}`);
    const result = await work(inspected);
    await inspected.evaluate("void setTimeout(() => process.getBuiltinModule('node:inspector').close(), 10)");
    return result;
  } finally {
    socket.close();
    await delay(CLOSED_MS);
  }
}

async function socketTo(pid: number): Promise<WebSocket> {
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

interface Answer {
  readonly id?: number;
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
  readonly error?: { readonly message: string };
}

function inspectedBy(socket: WebSocket): Inspected {
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    const { resolve, reject } = waiting.get(answer.id ?? 0) ?? {};
    waiting.delete(answer.id ?? 0);
    if (answer.error === undefined) resolve?.(answer);
    else reject?.(new Error(`the inspector refuses: ${answer.error.message}`));
  };
  socket.onclose = () => {
    for (const { reject } of waiting.values()) reject(new Error("the inspected process is gone"));
    waiting.clear();
  };
  const command = (method: string, params: object = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return {
    command,
    evaluate: async (expression) => {
      const { result } = await command("Runtime.evaluate", { expression, returnByValue: true });
      const thrown = result?.exceptionDetails;
      if (thrown !== undefined)
        throw new Error(`in the inspected process: ${thrown.exception?.description ?? "an exception"}`);
      return result?.result?.value;
    },
  };
}
