import type { WriteStream } from "node:tty";

/** A place where one picture after the other is shown. */
export interface Screen {
  show(picture: Picture): void;
  /** The terminal is again as it was; the last picture stays to be read. */
  close(): void;
}

export interface Picture {
  /** Stands above, whatever has room below. */
  readonly head: readonly string[];
  /** Lines may have colours (SGR), and nothing else that terminals obey. */
  readonly lines: readonly string[];
  /** Of what does not fit the end is shown: what grows, grows there. */
  readonly keepEnd?: boolean;
}

const ESC = "\u001b[";
/** Another screen, no cursor, lines that are too long are cut by the terminal. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;

/** Can pictures be drawn over each other there? */
export function drawsOn(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && process.env["TERM"] !== "dumb";
}

/** The whole of a terminal, until it is closed; Ctrl-Z and a change of its size are heeded. */
export function fullScreen(stream: WriteStream): Screen {
  let last: Picture | undefined;
  let open = false;
  const enter = (): void => {
    if (!open) stream.write(ENTER);
    open = true;
  };
  const leave = (): void => {
    if (open) stream.write(LEAVE);
    open = false;
  };
  const draw = (): void => {
    if (!open || last === undefined) return;
    const lines = fitted(last, Math.max(2, stream.rows ?? 24));
    const drawn = lines.map((line) => `${ESC}2K${line}`).join("\r\n");
    stream.write(`${ESC}H${drawn}${ESC}0m${ESC}J`);
  };
  const suspend = (): void => {
    leave();
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = (): void => {
    enter();
    draw();
  };
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", resume);
  process.on("exit", leave);
  stream.on("resize", draw);
  enter();
  return {
    show(picture) {
      last = picture;
      draw();
    },
    close() {
      process.removeListener("SIGTSTP", suspend);
      process.removeListener("SIGCONT", resume);
      process.removeListener("exit", leave);
      stream.removeListener("resize", draw);
      leave();
      if (last !== undefined && last.lines.length > 0) stream.write(`${last.lines.join("\n")}\n`);
    },
  };
}

/** As many lines as there are rows; what is left out is counted. */
export function fitted({ head, lines, keepEnd }: Picture, rows: number): readonly string[] {
  if (head.length + lines.length <= rows) return [...head, ...lines];
  const above = head.slice(0, rows - 1);
  const kept = rows - above.length - 1;
  const note = `... ${lines.length - kept} more lines`;
  if (kept === 0) return [...above, note];
  return [...above, ...(keepEnd === true ? [note, ...lines.slice(-kept)] : [...lines.slice(0, kept), note])];
}
