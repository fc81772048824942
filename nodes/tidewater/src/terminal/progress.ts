/** What a long command tells whoever waits, on standard error. */
export interface Progress {
  /** How far it is. With a total: a bar, and how long it may still take. */
  say(what: string, count: number, total?: number): void;
  /** The line that was written over goes away. */
  end(): void;
}

export interface ProgressOnStream extends Progress {
  /** Something that is to stay to be read. */
  line(text: string): void;
}

/** What of a stream is needed; `columns` of a terminal only. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** On a terminal. */
const EVERY_MS = 100;
/** Elsewhere: a line now and then, for logs; a command that is done before writes none. */
const LINE_EVERY_MS = 10_000;
const BAR = 24;
/** So long the pace is looked at before an end is foretold, ms. */
const PACE_AFTER_MS = 2_000;

/** One line that is written over on a terminal; elsewhere plain lines, seldom. No colours. */
export function progressOn(stream: ProgressStream, now: () => number = Date.now): ProgressOnStream {
  const redraws = stream.isTTY === true && process.env["TERM"] !== "dumb";
  let drawn = false;
  let saidAt = redraws ? Number.NEGATIVE_INFINITY : now();
  let task = "";
  let beganAt = now();
  let beganWith = 0;
  const erase = (): void => {
    if (drawn) stream.write("\r\u001b[K");
    drawn = false;
  };
  return {
    say(what, count, total) {
      const at = now();
      if (what !== task) {
        task = what;
        beganAt = at;
        beganWith = count;
      }
      const whole = total !== undefined && count >= total;
      if (at - saidAt < (redraws ? EVERY_MS : LINE_EVERY_MS) && !(redraws && whole)) return;
      saidAt = at;
      const left = total === undefined ? undefined : timeLeft(at - beganAt, count - beganWith, total - count);
      const text = amountText(what, count, total, redraws, left);
      if (!redraws) return void stream.write(`${text}\n`);
      // One column stays free: a full line would break.
      stream.write(`\r${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}\u001b[K`);
      drawn = true;
    },
    line(text) {
      erase();
      stream.write(`${text}\n`);
    },
    end: erase,
  };
}

function amountText(
  what: string,
  count: number,
  total: number | undefined,
  withBar: boolean,
  left: string | undefined,
): string {
  if (total === undefined) return `${what}: ${count.toLocaleString("en")}`;
  const share = total <= 0 ? 1 : Math.min(1, Math.max(0, count / total));
  const full = Math.round(share * BAR);
  const bar = withBar ? `[${"#".repeat(full)}${".".repeat(BAR - full)}] ` : "";
  const percent = `${Math.floor(share * 100)} %`.padStart(withBar ? 5 : 0);
  const end = left === undefined || share >= 1 ? "" : `, ${left} left`;
  return `${bar}${percent}  ${what}: ${count.toLocaleString("en")} of ${total.toLocaleString("en")}${end}`;
}

/** As it went so far. */
function timeLeft(elapsedMs: number, done: number, more: number): string | undefined {
  if (elapsedMs < PACE_AFTER_MS || done <= 0) return undefined;
  const seconds = Math.ceil(((elapsedMs / done) * more) / 1_000);
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
