import { spawn } from "node:child_process";
import { isWorkerMessage, type WorkerMessage } from "@ims/runtime";
import { type NodeProcess, nodeArguments } from "../node-process.ts";
import { ended, terminate } from "./child.ts";
import type { Ready, Runner } from "./member.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

export interface NodeRunnerOptions {
  /** Descriptors that it has as 4, 5 and so on. */
  readonly inherits?: readonly number[];
  /** What it tells the other workers. */
  readonly onMessage?: (message: WorkerMessage) => void;
}

export interface NodeRunner extends Runner {
  /** Harmless when it does not run. */
  tell(message: WorkerMessage): void;
}

/**
 * A process of ours: each node in it says over its IPC channel when it is ready, and it stops when we are gone. Ports are those of
 * the node, of several by their names.
 */
export function nodeRunner(
  member: string,
  process_: NodeProcess,
  { inherits = [], onMessage }: NodeRunnerOptions = {},
): NodeRunner {
  const { nodes } = process_;
  let child: ReturnType<typeof spawn> | undefined;
  return {
    start: (onExit) =>
      new Promise<Ready>((resolve, reject) => {
        const started = spawn(process.execPath, nodeArguments(process_), {
          stdio: ["ignore", "inherit", "inherit", "ipc", ...inherits],
          // A Ctrl-C at the terminal is ours to handle: they stop in their order.
          detached: true,
          env: { ...process_.env, ...process.env },
        });
        child = started;
        const ready = new Map<string, object>();
        const isReady = (): boolean => ready.size === nodes.length;
        const late = setTimeout(() => {
          started.kill("SIGKILL");
          reject(new Error(`${member} was not ready within ${READY_WITHIN_MS / 1000} s`));
        }, READY_WITHIN_MS);
        started.on("message", (message) => {
          if (onMessage !== undefined && isWorkerMessage(message)) return onMessage(message);
          if (isReady() || typeof message !== "object" || message === null || !("ready" in message)) return;
          const node = "node" in message ? String(message.node) : member;
          ready.set(node, "ports" in message ? { ...(message.ports as object | undefined) } : {});
          if (!isReady()) return;
          clearTimeout(late);
          const ports = ready.size === 1 ? (ready.get(node) ?? {}) : Object.fromEntries(ready);
          resolve({ pid: started.pid ?? 0, ports: { ...ports } });
        });
        started.once("error", reject);
        started.once("exit", (code, signal) => {
          clearTimeout(late);
          const why = signal ?? `exit code ${code}`;
          if (isReady()) onExit(why);
          else reject(new Error(`${member} did not start (${why}); its message is above`));
        });
      }),
    tell: (message) => {
      if (child?.connected === true) child.send(message, () => undefined);
    },
    stop: async () => {
      if (child !== undefined && !ended(child)) await terminate(child, STOP_WITHIN_MS);
    },
  };
}
