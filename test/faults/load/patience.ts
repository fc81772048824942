/** No step counts for more than it was to last, so a UE whose process stands still has waited at most so long meanwhile, ms. */
const STEP_MS = 100;

/** What waits; nothing more happens once it is ended. */
export interface Patience {
  end(): void;
}

/**
 * Runs `over` when a UE has waited for `ms`. Time in which its own process got no processor does not count, and what came meanwhile
 * is read first: neither is silence of the far end.
 */
export function patience(ms: number, over: () => void): Patience {
  let left = ms;
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const step = (): void => {
    const length = Math.min(left, STEP_MS);
    timer = setTimeout(() => {
      left -= length;
      // Sockets are read between timers and immediates.
      if (left > 0) step();
      else last = setImmediate(over);
    }, length);
  };
  step();
  return {
    end: () => {
      clearTimeout(timer);
      clearImmediate(last);
    },
  };
}
