import { ImsError } from "./errors.ts";

/** One line without a stack for what went wrong at start. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const where = port === undefined ? (address ?? "") : `${address ?? "*"}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is in use by another process`;
    case "EACCES":
      return where === "" ? oneLine(error.message) : `${where} may not be used by this user`;
    case "EADDRNOTAVAIL":
      return `${where} is not an address of this machine`;
    default:
      return oneLine(error.message);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}

/** Neither an error of the system nor one of ours: something nobody foresaw. */
export function isDefect(error: unknown): boolean {
  return !(error instanceof ImsError) && !(error instanceof Error && "errno" in error);
}
