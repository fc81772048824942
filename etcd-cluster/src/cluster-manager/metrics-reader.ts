import type { Clock } from "@ims/runtime";
import type { ServersFileReader } from "./servers-file-agent.ts";

export interface MetricsReaderOptions {
  /** Where the node answers GET /metrics. */
  readonly url: string;
  readonly clock: Clock;
  /** After a change of the file, until the node is sure to have read it, ms. Default 2,000 (it looks twice a second). */
  readonly readMs?: number;
}

/**
 * Asks a sprout by its metrics. Until it has had time to read the file, and while it does not answer, nothing is confirmed.
 */
export function metricsReader({ url, clock, readMs = 2000 }: MetricsReaderOptions): ServersFileReader {
  let seen = "";
  let since = 0;
  return {
    async look(lists) {
      const key = JSON.stringify(lists);
      if (key !== seen) since = clock.monotonic();
      seen = key;
      if (clock.monotonic() - since < readMs) return "unread";
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
        const exchange = /^ims_sprout_memcached_exchange(?:\{[^}]*\})? ([01])$/m.exec(
          await answer.text(),
        )?.[1];
        if (!answer.ok || exchange === undefined) return "unread";
        return exchange === "0" ? "synchronized" : "read";
      } catch {
        return "unread";
      }
    },
  };
}
