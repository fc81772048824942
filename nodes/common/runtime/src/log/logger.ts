import { type DestinationStream, destination, type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Field names whose values never reach a log, at the top and one or two levels down. */
export const SECRET_FIELDS = [
  "password",
  "passwd",
  "secret",
  "ha1",
  "k",
  "op",
  "opc",
  "ck",
  "ik",
  "ak",
  "xres",
  "response",
  "nonce",
  "cnonce",
  "nextnonce",
  "auts",
  "authorization",
  "Authorization",
  "proxyAuthorization",
  "proxy-authorization",
  "Proxy-Authorization",
  "privateKey",
  "token",
  "cookie",
] as const;

export interface LoggerOptions {
  /** Shown as `node` in every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** Which worker of the node it is, shown in every line; 0: there are none. */
  readonly worker?: number;
  /** Where lines go; default: standard output, written in batches. */
  readonly destination?: LogDestination;
}

/** A stream of lines that can be written out at once. */
export interface LogDestination extends DestinationStream {
  flushSync?(): void;
}

/** Batched writes: at most 4 kB or 100 ms old; whoever ends the process calls flushSync. */
export function standardOutput(): LogDestination {
  return destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
}

/** Lines of JSON: `{"level":"info","time":"...","node":"sprout","msg":"..."}`, secrets replaced. */
export function createLogger({
  name,
  level,
  worker = 0,
  destination: stream = standardOutput(),
}: LoggerOptions): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`]);
  return pino(
    {
      level,
      base: worker === 0 ? { node: name } : { node: name, worker },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: "[secret]" },
    },
    stream,
  );
}
