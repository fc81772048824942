import type { Ladder } from "@ims/api";
import {
  climbing,
  type Exchange,
  labelOf,
  type NodeStep,
  participantsOf,
  type Rung,
  startOf,
  summaryOf,
} from "@ims/doctor";
import type { Work } from "@ims/runtime";

/** Rungs of one ladder that are shown: the first and the last ones. */
const MOST_RUNGS = 400;
const LONGEST_TITLE = 300;

type ShownRung = Ladder["rungs"][number];

/** One registration or call as a page draws it: without the messages, which are asked for one by one. */
export function* ladderDocument(exchange: Exchange): Work<Ladder> {
  const all = yield* climbing(exchange);
  const hidden = Math.max(0, all.length - MOST_RUNGS);
  const cut = Math.ceil(MOST_RUNGS / 2);
  const rungs = hidden === 0 ? all : [...all.slice(0, cut), ...all.slice(cut + hidden)];
  return {
    ...summaryOf(exchange),
    start: startOf(exchange),
    callIds: [...exchange.callIds],
    icids: [...exchange.icids],
    participants: [...participantsOf(rungs)],
    rungs: rungs.map(shown),
    hidden,
  };
}

function shown(rung: Rung): ShownRung {
  const { step, time, kind } = rung;
  const { node, sequence, title } = step;
  const ask = kind === "message" ? keyOf(step) : undefined;
  const took = kind === "message" ? rung.took : undefined;
  return {
    ...{ kind, time, node, sequence, family: step.kind, failed: hasFailed(step) },
    from: kind === "note" ? rung.at : rung.from,
    to: kind === "note" ? rung.at : rung.to,
    label: labelOf(step).slice(0, LONGEST_TITLE),
    title: title.slice(0, LONGEST_TITLE),
    ...(took === undefined ? {} : { tookMs: Math.round(took * 100) / 100 }),
    ...(ask === undefined ? {} : { ask }),
  };
}

/** What a node finds the message of a step by. */
function keyOf({ callId, session, identities = [] }: NodeStep): string | undefined {
  const key = callId ?? session ?? identities[0];
  return key === undefined || key === "" || key.length > 300 ? undefined : key;
}

/** A challenge is no failure (RFC 3261 §22). */
function hasFailed({ kind, status }: NodeStep): boolean {
  if (status === undefined) return false;
  return kind === "sip" ? status >= 400 && status !== 401 && status !== 407 : status >= 3_000;
}
