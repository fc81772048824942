/** What a long command tells whoever waits: one line that is written over on a terminal, nothing elsewhere. */
export interface Progress {
  say(what: string, count: number): void;
  end(): void;
}

const EVERY_MS = 200;

export function terminalProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { say: () => undefined, end: () => undefined };
  let saidAt = 0;
  let width = 0;
  const write = (line: string): void => {
    stream.write(`\r${line.padEnd(width)}`);
    width = line.length;
  };
  return {
    say(what, count) {
      const now = Date.now();
      if (now - saidAt < EVERY_MS) return;
      saidAt = now;
      write(`${what}: ${count.toLocaleString("en")}`);
    },
    end() {
      if (width > 0) write("");
      stream.write(width > 0 ? "\r" : "");
      width = 0;
    },
  };
}
