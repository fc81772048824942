import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { TrailKey } from "./identity-key.ts";
import { type RecentAnswer, RecentExchanges } from "./recent.ts";
import { type Note, noteReader, noteText } from "./trail-note.ts";
import { type RingRecord, TrailRing } from "./trail-ring.ts";
import type {
  TrailContent,
  TrailDirection,
  TrailEnds,
  TrailIdentifiers,
  TrailReader,
  TrailStep,
} from "./trail-step.ts";
import { wallOrigin } from "./wall-origin.ts";

export interface TrailOptions {
  /** Of all steps together. */
  readonly bytes: number;
  readonly steps: number;
  readonly clock: Pick<Clock, "monotonic">;
  /** Wall-clock time (ms since the epoch, with fractions) at 0 of the monotonic clock; default: the system's. */
  readonly origin?: () => number;
}

export interface TrailQuery {
  readonly keys: readonly string[];
  /** Only of these kinds; default: all. */
  readonly kinds?: readonly string[];
  /** ms since the epoch. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** The newest that many. */
  readonly limit: number;
  /** With the messages themselves. */
  readonly text: boolean;
}

export interface TrailAnswer {
  readonly steps: readonly TrailStep[];
  /** Of the oldest step kept; undefined when there is none. */
  readonly oldest: number | undefined;
  /** There were more than the limit, the oldest of them are left out. */
  readonly truncated: boolean;
}

/** A step as it is recorded, secrets taken out. All of it is good during the call of the exporter only. */
export interface ExportedStep {
  readonly kind: string;
  readonly direction: TrailDirection;
  /** Monotonic ms. */
  readonly at: number;
  /** ms since the epoch, with fractions. */
  readonly time: number;
  readonly ends: TrailEnds | undefined;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  identifiers(): TrailIdentifiers;
  /** What somebody who may look is shown of it. */
  read(): TrailContent | undefined;
}

/** Sees every step: a door for HEP3 and the like. What it throws is thrown at whoever records. */
export type TrailExporter = (step: ExportedStep) => void;

const DIRECTIONS: readonly TrailDirection[] = ["", "in", "out"];
/** Longest that a search holds the event loop, ms. */
const SLICE_MS = 3;
/** Between two slices: a search takes a fifth of the event loop's time at most, whoever asks for how much. */
const PAUSE_MS = 12;
/** What is longer is cut. */
const LONGEST_STEP = 65_536;
/** Of one answer, characters. */
const LONGEST_ANSWER = 4_000_000;
/** Whose answers are looked for. */
const MAX_SESSIONS = 64;
/** Records that one look at what is new takes in. */
const MAX_GLANCES = 8_192;

/** The last steps of registrations and calls at this node: messages, requests to other nodes, decisions. Recording is one copy. */
export class Trail {
  readonly #ring: TrailRing;
  readonly #longest: number;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #origin: () => number;
  readonly #readers: { readonly name: string; readonly reader: TrailReader }[] = [];
  readonly #exporters: TrailExporter[] = [];
  readonly #notes: number;
  #searching = 0;

  constructor({ bytes, steps, clock, origin }: TrailOptions) {
    this.#ring = new TrailRing({ bytes, records: steps });
    this.#longest = Math.min(LONGEST_STEP, bytes);
    this.#clock = clock;
    this.#origin = origin ?? systemOrigin();
    this.#notes = this.addReader("note", noteReader);
  }

  /** A kind of step; gives the number to record it with. */
  addReader(name: string, reader: TrailReader): number {
    return this.#readers.push({ name, reader }) - 1;
  }

  /** From now on sees what is recorded; gives what ends that. */
  attach(exporter: TrailExporter): () => void {
    this.#exporters.push(exporter);
    return () => {
      const at = this.#exporters.indexOf(exporter);
      if (at >= 0) this.#exporters.splice(at, 1);
    };
  }

  /** Searches under way. */
  get searching(): number {
    return this.#searching;
  }

  /** Records text of one octet a character. */
  text(kind: number, direction: TrailDirection, ends: TrailEnds | undefined, text: string): void {
    const length = Math.min(text.length, this.#longest);
    const at = this.#clock.monotonic();
    const start = this.#ring.claim(length, codeOf(kind, direction), at, ends);
    this.#ring.bytes.write(text, start, length, "latin1");
    if (this.#exporters.length > 0) this.#export(kind, direction, at, ends, start, start + length);
  }

  /** Records bytes. `clean` takes the secrets out of the copy, which is in `bytes[start, end)`. */
  octets(
    kind: number,
    direction: TrailDirection,
    ends: TrailEnds | undefined,
    source: Buffer,
    from: number,
    to: number,
    clean?: (bytes: Buffer, start: number, end: number) => void,
  ): void {
    const length = Math.min(to - from, this.#longest);
    const at = this.#clock.monotonic();
    const start = this.#ring.claim(length, codeOf(kind, direction), at, ends);
    source.copy(this.#ring.bytes, start, from, from + length);
    clean?.(this.#ring.bytes, start, start + length);
    if (this.#exporters.length > 0) this.#export(kind, direction, at, ends, start, start + length);
  }

  /** Records what happened beside messages. */
  note(note: Note): void {
    const text = noteText(note);
    const length = Buffer.byteLength(text);
    if (length > this.#longest) return;
    const at = this.#clock.monotonic();
    const start = this.#ring.claim(length, codeOf(this.#notes, ""), at, undefined);
    this.#ring.bytes.write(text, start, length, "utf8");
    if (this.#exporters.length > 0) this.#export(this.#notes, "", at, undefined, start, start + length);
  }

  /** Records a decision of a procedure. */
  decided(callId: string, what: string, fields: NonNullable<Note["fields"]>): void {
    this.note({ kind: "decision", callId, what, fields });
  }

  /** The steps that one of the keys stands for, oldest first. Never holds the event loop for long. */
  async find(query: TrailQuery): Promise<TrailAnswer> {
    this.#searching++;
    try {
      return await this.#find(query);
    } finally {
      this.#searching--;
    }
  }

  /**
   * The registrations and calls of the newest messages: those since the record `after`, as far as one look reaches. `limit`: the latest that
   * many. Never holds the event loop for long.
   */
  async recent({ after, limit }: { readonly after: number; readonly limit: number }): Promise<RecentAnswer> {
    this.#searching++;
    try {
      return await this.#recent(after, limit);
    } finally {
      this.#searching--;
    }
  }

  async #recent(after: number, limit: number): Promise<RecentAnswer> {
    const ring = this.#ring;
    const origin = this.#origin();
    const found = new RecentExchanges();
    const { next } = ring;
    // A process that was started again counts from 0.
    const wanted = after > next ? 0 : after;
    const last = Math.max(wanted, next - MAX_GLANCES);
    let since: number | undefined;
    let began = performance.now();
    let sequence = next - 1;
    for (; sequence >= Math.max(last, ring.first); sequence--) {
      if (performance.now() - began > SLICE_MS) {
        await pause(PAUSE_MS);
        began = performance.now();
      }
      const record = ring.record(sequence);
      // New ones have taken its place meanwhile.
      if (record === undefined) break;
      since = timeOf(origin, record.at);
      const reader = this.#readers[record.kind >> 2]?.reader;
      const glance = reader?.glance?.(ring.bytes.subarray(record.start, record.end));
      if (glance !== undefined) found.add(glance, since);
    }
    const truncated = sequence >= wanted || wanted < ring.first || found.size > limit;
    return { exchanges: found.list(limit), next, truncated, since };
  }

  async #find(query: TrailQuery): Promise<TrailAnswer> {
    const oldestRecord = this.#ring.record(this.#ring.first);
    const origin = this.#origin();
    const found = new Map<number, TrailStep>();
    const keys = query.keys.map((key) => new TrailKey(key));
    let truncated = await this.#search(query, keys, origin, found);
    // Answers that name nobody.
    const sessions = new Set<string>();
    for (const { session } of found.values())
      if (session !== undefined && sessions.size < MAX_SESSIONS) sessions.add(session);
    if (sessions.size > 0) {
      const more = [...sessions].map((session) => new TrailKey(session, true));
      truncated = (await this.#search(query, more, origin, found)) || truncated;
    }
    const steps = [...found.values()].sort((a, b) => a.sequence - b.sequence);
    const oldest = oldestRecord === undefined ? undefined : timeOf(origin, oldestRecord.at);
    return { steps, oldest, truncated };
  }

  /** True when there is more than may be given. */
  async #search(
    { kinds, since, until, limit, text }: TrailQuery,
    keys: readonly TrailKey[],
    origin: number,
    found: Map<number, TrailStep>,
  ): Promise<boolean> {
    const ring = this.#ring;
    const after = since === undefined ? Number.NEGATIVE_INFINITY : since - origin;
    const before = until === undefined ? Number.POSITIVE_INFINITY : until - origin;
    let size = 0;
    for (const step of found.values()) size += sizeOf(step);
    let began = performance.now();
    // Newest first, so that a limit leaves out the oldest.
    for (let sequence = ring.next - 1; sequence >= ring.first; sequence--) {
      if (performance.now() - began > SLICE_MS) {
        await pause(PAUSE_MS);
        began = performance.now();
      }
      const record = found.has(sequence) ? undefined : ring.record(sequence);
      if (record === undefined || record.at > before) continue;
      // They are in order of time.
      if (record.at < after) break;
      const step = this.#stepOf(record, keys, origin, text);
      if (step === undefined || (kinds !== undefined && !kinds.includes(step.kind))) continue;
      size += sizeOf(step);
      if (found.size >= limit || size > LONGEST_ANSWER) return true;
      found.set(sequence, step);
    }
    return false;
  }

  #stepOf(
    record: RingRecord,
    keys: readonly TrailKey[],
    origin: number,
    withText: boolean,
  ): TrailStep | undefined {
    const { start, end, sequence, at } = record;
    const content = this.#ring.bytes.toString("latin1", start, end);
    const near = keys.filter(({ needle }) => content.includes(needle));
    if (near.length === 0) return undefined;
    const direction = DIRECTIONS[record.kind & 3] ?? "";
    const bytes = this.#ring.bytes.subarray(start, end);
    const made = this.#readers[record.kind >> 2]?.reader.read(bytes, direction);
    if (made === undefined) return undefined;
    const { callId, icid, session, identities = [] } = made;
    const names = [callId, icid, session];
    if (!near.some((key) => key.is(names) || identities.some((one) => key.names(one)))) return undefined;
    const { text, octets, ...rest } = made;
    const ends = record.ends as TrailEnds | undefined;
    return {
      sequence,
      time: timeOf(origin, at),
      direction,
      ...(ends === undefined ? {} : { ends }),
      ...rest,
      ...(withText && text !== undefined ? { text } : {}),
      ...(withText && octets !== undefined ? { octets } : {}),
    };
  }

  #export(
    kind: number,
    direction: TrailDirection,
    at: number,
    ends: TrailEnds | undefined,
    start: number,
    end: number,
  ): void {
    const known = this.#readers[kind];
    const reader = known?.reader;
    const { bytes } = this.#ring;
    const read = (): TrailContent | undefined => reader?.read(bytes.subarray(start, end), direction);
    const identifiers = (): TrailIdentifiers =>
      reader?.identifiers?.(bytes.subarray(start, end)) ?? read() ?? {};
    const time = timeOf(this.#origin(), at);
    const step = { kind: known?.name ?? "", direction, at, time, ends, bytes, start, end, identifiers, read };
    for (const exporter of this.#exporters) exporter(step);
  }
}

function codeOf(kind: number, direction: TrailDirection): number {
  return (kind << 2) | (direction === "in" ? 1 : direction === "out" ? 2 : 0);
}

function sizeOf({ text, octets }: TrailStep): number {
  return 500 + (text?.length ?? 0) + (octets?.length ?? 0);
}

/** To the microsecond. */
function timeOf(origin: number, at: number): number {
  return Math.round((origin + at) * 1000) / 1000;
}

function systemOrigin(): () => number {
  return wallOrigin({ now: Date.now, monotonic: () => performance.now() }, performance.timeOrigin);
}
