import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { drawsOn, fullScreen } from "./screen.ts";

/** Options of a command that can go on looking. */
export interface WatchGiven {
  readonly watch?: boolean;
  readonly every: number;
}

/** What one look has seen. */
export interface Look {
  /** For people, as the command prints it without --watch. */
  readonly lines: readonly string[];
  /** Of what does not fit on a terminal the end is shown. */
  readonly keepEnd?: boolean;
  /** The same for programs, a line each. */
  readonly json: readonly object[];
  /** What could not be seen, a line each; on standard error where nothing is drawn. */
  readonly problems: readonly string[];
  /** What is to be printed where nothing is drawn; default: everything, when it differs from what was before. */
  readonly news?: News;
  readonly exitCode: number;
}

export interface News {
  readonly lines: readonly string[];
  readonly json: readonly object[];
}

export interface WatchOptions {
  /** s */
  readonly every: number;
  readonly json: boolean;
  /** First line on a terminal. */
  readonly title: string;
  /** What is still to be told when it ends. */
  readonly rest?: () => News;
}

/** `--watch` and `--every`. */
export function withWatch(command: Command, everySeconds = 2): Command {
  return command
    .option("--watch", "keep looking until Ctrl-C; with --json a line of JSON for each change")
    .option("--every <seconds>", "how often, with --watch", watchSeconds, everySeconds);
}

export function watchSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && value >= 0.1 && value <= 3_600) return value;
  throw new InvalidArgumentError("Write a number of seconds from 0.1 to 3600.");
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Looks again and again, until Ctrl-C, SIGTERM or SIGHUP: on a terminal in place, elsewhere what has changed. The first look
 * must succeed; what fails later is said, and looked at again. Gives the exit code of the last look.
 */
export async function watch(
  look: (signal: AbortSignal) => Promise<Look>,
  options: WatchOptions,
): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted"));
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    let seen = await look(stop.signal);
    const teller = !options.json && drawsOn(process.stdout) ? drawing(options) : printing(options);
    try {
      while (!stop.signal.aborted) {
        teller.tell(seen);
        await sleep(options.every * 1_000, undefined, { signal: stop.signal }).catch(() => undefined);
        if (stop.signal.aborted) break;
        const next = await look(stop.signal).catch((error: unknown) => unseen(error));
        // What was interrupted has seen nothing.
        if (!stop.signal.aborted) seen = next;
      }
    } finally {
      teller.end();
    }
    return seen.exitCode;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
  }
}

function unseen(error: unknown): Look {
  const problem = error instanceof Error ? error.message : String(error);
  return { lines: [], json: [{ error: problem }], problems: [problem], exitCode: 1 };
}

interface Teller {
  tell(look: Look): void;
  end(): void;
}

/** On a terminal: the whole of it, with the time of the look in the first line. */
function drawing({ title, every }: WatchOptions): Teller {
  const screen = fullScreen(process.stdout);
  return {
    tell({ lines, problems, keepEnd = false }) {
      const now = new Date().toISOString().slice(0, 19);
      const said = problems.map((problem) => `tidewater: ${problem}`);
      const head = [`${title}  ${now}Z, every ${every} s, Ctrl-C ends`, "", ...said];
      screen.show({ head, lines, keepEnd });
    },
    end: () => screen.close(),
  };
}

/** Into a file, a pipe or a program: what is new. */
function printing({ json, rest }: WatchOptions): Teller {
  let shown: string | undefined;
  let told = "";
  const print = ({ lines, json: values }: News): void => {
    const fresh = json ? values.map((value) => JSON.stringify(value)) : lines;
    if (fresh.length > 0) process.stdout.write(`${fresh.join("\n")}\n`);
  };
  return {
    tell(look) {
      const said = look.problems.map((problem) => `tidewater: ${problem}\n`).join("");
      if (said !== told) process.stderr.write(said);
      told = said;
      if (look.news !== undefined) return print(look.news);
      const whole = JSON.stringify(json ? look.json : look.lines);
      if (whole === shown || (!json && look.lines.length === 0)) return;
      const time = new Date().toISOString();
      // Whoever reads pictures has to see where one ends.
      const lines = shown === undefined ? look.lines : ["", ...look.lines];
      print({ lines, json: look.json.map((value) => ({ time, ...value })) });
      shown = whole;
    },
    end() {
      if (rest !== undefined) print(rest());
    },
  };
}
