import { createLogger, type Logger, type LogLevel } from "../src/log/logger.ts";

export interface MemoryLogger extends Logger {
  /** Parsed lines so far. */
  readonly lines: Record<string, unknown>[];
}

/** A logger that keeps its lines, redacted as in production. */
export function memoryLogger(level: LogLevel = "trace"): MemoryLogger {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    name: "test",
    level,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  return Object.assign(log, { lines });
}
