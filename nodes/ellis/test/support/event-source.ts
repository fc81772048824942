import type { TestContext } from "node:test";

export interface Events {
  readonly status: number;
  /** The next event; rejects when none comes in time. */
  next(): Promise<{ readonly event: string; readonly data: unknown }>;
  close(): void;
}

/** Server-Sent Events as a browser reads them, data being JSON. */
export async function openEvents(
  t: TestContext,
  url: string,
  headers: Readonly<Record<string, string>>,
  withinMs = 5_000,
): Promise<Events> {
  const ending = new AbortController();
  t.after(() => ending.abort());
  const response = await fetch(url, { headers, signal: ending.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (): Promise<{ event: string; data: unknown }> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const part = await reader?.read();
        if (part === undefined || part.done) throw new Error("the stream has ended");
        text += part.value;
        continue;
      }
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const event = field("event");
      if (event !== undefined) return { event, data: JSON.parse(field("data") ?? "null") as unknown };
    }
  };
  return {
    status: response.status,
    next: () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no event within ${withinMs} ms`)), withinMs);
      });
      return Promise.race([read(), late]).finally(() => clearTimeout(timer));
    },
    close: () => ending.abort(),
  };
}
