/** What a UE was told of one of its contacts by the last 200 to a REGISTER that named its user. */
export interface ToldBinding {
  readonly contact: string;
  /** ms since the epoch; not after `at`: the UE was told that the contact is removed. */
  readonly expiresAt: number;
  /** When the answer was given, ms since the epoch. */
  readonly at: number;
  /** Of the REGISTER that named this contact last; undefined when the source does not say. */
  readonly callId: string | undefined;
  readonly cseq: number | undefined;
}

/** By public identity as the UE wrote it, then by contact URI. */
export type Told = Map<string, Map<string, ToldBinding>>;

/** One acknowledged REGISTER in a file of JSON lines. */
interface Line {
  readonly aor: string;
  readonly contact: string;
  readonly expiresAt: number;
  readonly callId?: string;
  readonly cseq?: number;
  readonly at?: number;
}

/**
 * Adds what a file of JSON lines says: {"aor","contact","expiresAt","callId","cseq","at"}, times in ms since the epoch, in the
 * order in which the UEs were told. @throws Error naming the line that is none.
 */
export function readToldLines(text: string, file: string, told: Told): number {
  let count = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = lineOf(line);
    if (read === undefined)
      throw new Error(
        `${file}, line ${index + 1}: write {"aor": "sip:...", "contact": "sip:...", "expiresAt": ms, "callId": "...", "cseq": 1}`,
      );
    const { aor, contact, expiresAt, callId, cseq, at = 0 } = read;
    bindingsOf(told, aor).set(contact, { contact, expiresAt, at, callId, cseq });
    count++;
  }
  return count;
}

/** The bindings of one identity, made when there are none yet. */
export function bindingsOf(told: Told, aor: string): Map<string, ToldBinding> {
  let bindings = told.get(aor);
  if (bindings === undefined) {
    bindings = new Map();
    told.set(aor, bindings);
  }
  return bindings;
}

function lineOf(text: string): Line | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== "object" || line === null) return undefined;
  const { aor, contact, expiresAt, callId, cseq, at } = line as Partial<Line>;
  const sound =
    typeof aor === "string" &&
    typeof contact === "string" &&
    Number.isFinite(expiresAt) &&
    (callId === undefined || typeof callId === "string") &&
    (cseq === undefined || Number.isFinite(cseq)) &&
    (at === undefined || Number.isFinite(at));
  return sound ? (line as Line) : undefined;
}
