import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");
const PATIENCE_MS = 30_000;

/** The program with what it writes; ended with the test. */
export class Running {
  out = "";
  err = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown[]>;

  constructor(t: TestContext, child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#closed = once(child, "close");
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    t.after(() => child.kill("SIGKILL"));
  }

  /** Waits until what it has written is as wanted. */
  async until(what: string, wanted: (out: string) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!wanted(this.out)) {
      if (Date.now() > deadline || this.#child.exitCode !== null)
        throw new Error(`no ${what}: ${JSON.stringify(this.out.slice(-2_000))} ${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async exitCode(): Promise<number> {
    const [code] = (await this.#closed) as [number];
    return code;
  }
}

/** What has a say in colours: that of who runs the tests is not that of the terminal; with CI Node takes none for able. */
const OF_COLOURS = ["NO_COLOR", "FORCE_COLOR", "NODE_DISABLE_COLORS", "COLORTERM", "CI"];

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !OF_COLOURS.includes(name));
  return { ...Object.fromEntries(rest), TERM: "xterm-256color", ...more };
}

/** At a terminal of its own (script of util-linux) with that many rows. */
export function atTerminal(
  t: TestContext,
  args: readonly string[],
  { rows = 12, env = {} }: { readonly rows?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Running {
  const words = [process.execPath, ...process.execArgv, PROGRAM, ...args]
    .map((word) => `'${word}'`)
    .join(" ");
  // The shell that waits gets Ctrl-C, too.
  const command = `trap : INT; stty rows ${rows} cols 100; ${words}; code=$?; echo "[exit $code]"; exit $code`;
  return new Running(
    t,
    spawn("script", ["-q", "-e", "-c", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: environment({ SHELL: "/bin/sh", ...env }),
    }),
  );
}

/** A shell with job control at a terminal of its own; `tidewater` is the program. */
export function atShell(t: TestContext): Running {
  const words = [process.execPath, ...process.execArgv, PROGRAM].map((word) => `'${word}'`).join(" ");
  const run = new Running(
    t,
    spawn("script", ["-q", "-e", "-c", "bash --norc --noprofile --noediting -i", "/dev/null"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: environment({ PS1: "", PROMPT_COMMAND: "" }),
    }),
  );
  run.type(`stty -echo rows 12 cols 100; tidewater() { ${words} "$@"; }; echo ready\n`);
  return run;
}

/** With pipes. */
export function piped(t: TestContext, args: readonly string[], env: Record<string, string> = {}): Running {
  return new Running(
    t,
    spawn(process.execPath, [...process.execArgv, PROGRAM, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: environment(env),
    }),
  );
}

/** What a terminal shows after all of that; only what we use is understood, anything else is an error. */
export function shown(out: string): {
  readonly lines: string[];
  readonly cursor: boolean;
  readonly wraps: boolean;
} {
  let lines: string[] = [];
  let main: string[] = [];
  let [row, column, cursor, wraps] = [0, 0, true, true];
  for (const [token] of out.matchAll(/\u001b\[[?0-9;]*[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) {
    const line = lines[row] ?? "";
    if (token === "\r") column = 0;
    else if (token === "\n") row++;
    else if (token === "\u001b[H") [row, column] = [0, 0];
    else if (token === "\u001b[2K") lines[row] = "";
    else if (token === "\u001b[K") lines[row] = line.slice(0, column);
    else if (token === "\u001b[J") lines = [...lines.slice(0, row), line.slice(0, column)];
    else if (token === "\u001b[?1049h") [main, lines, row, column] = [lines, [], 0, 0];
    else if (token === "\u001b[?1049l") [lines, row, column] = [main, Math.max(0, main.length), 0];
    else if (/^\u001b\[\?25[hl]$/.test(token)) cursor = token.endsWith("h");
    else if (/^\u001b\[\?7[hl]$/.test(token)) wraps = token.endsWith("h");
    else if (token.startsWith("\u001b") && !token.endsWith("m"))
      throw new Error(`what is ${JSON.stringify(token)}?`);
    else if (!token.startsWith("\u001b")) {
      lines[row] = line.padEnd(column).slice(0, column) + token + line.slice(column + token.length);
      column += token.length;
    }
  }
  return { lines: [...lines].map((line) => line ?? ""), cursor, wraps };
}
