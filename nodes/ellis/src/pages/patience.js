/** Waits between tries, ms: each twice as long as the one before, up to the longest. */
const FIRST_MS = 500;
const LONGEST_MS = 8_000;
/** So often it is asked again, and so long in all, ms. */
const AGAIN = 6;
const ALL_MS = 120_000;

/** RFC 9110 §10.2.3: ms from now, of seconds or a date; undefined where there is none that can be understood. */
export function retryAfterMs(value, now = Date.now()) {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // Date.parse makes dates of much that is none.
  const at = text.endsWith(" GMT") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/**
 * How long to wait before asking for the `again`th time (0: the first), ms; undefined: no more. Never less than the server wants, and
 * spread by `random` (0 to 1), so that pages do not come back together.
 */
export function waitBefore(again, { spentMs = 0, wantedMs = 0, random = Math.random() } = {}) {
  const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** again);
  const wait = Math.max(wantedMs, own / 2) + (random * own) / 2;
  return again < AGAIN && spentMs + wait <= ALL_MS ? wait : undefined;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A request that may be repeated, repeated while the server is busy (503) or does not answer. Gives the last response, or throws what
 * the last try has thrown. `waiting` is told before each wait: { isBusy, ms }.
 */
export async function patiently(
  send,
  { waiting, sleep = pause, now = () => performance.now(), random = Math.random },
) {
  const began = now();
  for (let again = 0; ; again++) {
    const { response, failure } = await tried(send);
    if (response !== undefined && response.status !== 503) return response;
    const wantedMs = retryAfterMs(response?.headers.get("retry-after"));
    const ms = waitBefore(again, { spentMs: now() - began, wantedMs, random: random() });
    if (ms === undefined && response === undefined) throw failure;
    if (ms === undefined) return response;
    waiting({ isBusy: response !== undefined, ms });
    await sleep(ms);
  }
}

async function tried(send) {
  try {
    return { response: await send() };
  } catch (failure) {
    return { failure };
  }
}
