/** A message that the kernel has given to one worker of a node and that belongs to another. */
export interface StrayMessage {
  readonly node: string;
  /** As it came, latin1. */
  readonly text: string;
  /** Who sent it. */
  readonly address: string;
  readonly port: number;
}

/** From one worker to the parent process, and from there to the others. */
export interface WorkerMessage {
  readonly stray: StrayMessage;
}

/** The other workers of a node, through the process that has started them all. */
export interface WorkerChannel {
  /** Tells all others; lost when the parent does not take it. */
  tell(stray: StrayMessage): void;
  /** Called for what the others tell. */
  hear(listener: (stray: StrayMessage) => void): void;
}

/** Undefined when no process with an IPC channel has started this one. */
export function workerChannel(own: NodeJS.Process = process): WorkerChannel | undefined {
  if (own.send === undefined) return undefined;
  return {
    tell(stray) {
      if (own.connected) own.send?.({ stray } satisfies WorkerMessage, () => undefined);
    },
    hear(listener) {
      own.on("message", (message: unknown) => {
        if (isWorkerMessage(message)) listener(message.stray);
      });
    },
  };
}

/** Is it of that kind? Both ends of the channel are ours. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return typeof message === "object" && message !== null && "stray" in message;
}
