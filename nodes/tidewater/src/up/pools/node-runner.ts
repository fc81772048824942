import { spawn } from "node:child_process";
import { type NodeCommand, programOf } from "../nodes.ts";
import { ended, terminate } from "./child.ts";
import type { Ready, Runner } from "./member.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

/** A node of ours: it says over its IPC channel when it is ready, and stops when we are gone. */
export function nodeRunner(member: string, command: NodeCommand): Runner {
  let child: ReturnType<typeof spawn> | undefined;
  return {
    start: (onExit) =>
      new Promise<Ready>((resolve, reject) => {
        const started = spawn(
          process.execPath,
          [...process.execArgv, programOf(command.name), ...command.args],
          {
            stdio: ["ignore", "inherit", "inherit", "ipc"],
            // A Ctrl-C at the terminal is ours to handle: they stop in their order.
            detached: true,
            env: { ...command.env, ...process.env },
          },
        );
        child = started;
        let ready = false;
        const late = setTimeout(() => {
          started.kill("SIGKILL");
          reject(new Error(`${member} was not ready within ${READY_WITHIN_MS / 1000} s`));
        }, READY_WITHIN_MS);
        started.on("message", (message) => {
          if (ready || typeof message !== "object" || message === null || !("ready" in message)) return;
          ready = true;
          clearTimeout(late);
          const ports = "ports" in message ? message.ports : undefined;
          resolve({ pid: started.pid ?? 0, ports: { ...(ports as object | undefined) } });
        });
        started.once("error", reject);
        started.once("exit", (code, signal) => {
          clearTimeout(late);
          const why = signal ?? `exit code ${code}`;
          if (ready) onExit(why);
          else reject(new Error(`${member} did not start (${why}); its message is above`));
        });
      }),
    stop: async () => {
      if (child !== undefined && !ended(child)) await terminate(child, STOP_WITHIN_MS);
    },
  };
}
