import { type Exchange, type Gathered, ladder, printable, type Rung, rungsOf, summaryOf } from "@ims/doctor";
import type { Look, News } from "../terminal/watch.ts";

/** Ladders that grow as messages flow. */
export class Following {
  readonly #key: string;
  readonly #text: boolean;
  /** Of the registrations and calls that are looked at: rungs that were told, and that were seen. */
  #told = new Set<string>();
  #seen = new Set<string>();
  #named = new Set<string>();
  #last: readonly Exchange[] = [];

  constructor(key: string, { text }: { readonly text: boolean }) {
    this.#key = key;
    this.#text = text;
  }

  /** What has come since the look before. */
  look({ exchanges, problems }: Gathered): Look {
    const waiting = [`nothing is known of ${printable(this.#key)} yet`];
    const ladders = exchanges.flatMap((one, index) => [
      ...(index === 0 ? [] : [""]),
      ...ladder(one, { text: this.#text }).split("\n"),
    ]);
    this.#last = exchanges;
    return {
      lines: exchanges.length === 0 ? waiting : ladders,
      keepEnd: true,
      json: [],
      // A message that came to one node may not have been asked of the other one yet: what was there before is whole.
      news: this.#news((key) => this.#seen.has(key)),
      problems: problems.map(printable),
      exitCode: exchanges.length === 0 ? 1 : 0,
    };
  }

  /** What was seen only in the last look. */
  rest(): News {
    return this.#news(() => true);
  }

  #news(isWhole: (key: string) => boolean): News {
    const lines: string[] = [];
    const json: object[] = [];
    const told = new Set<string>();
    const seen = new Set<string>();
    const named = new Set<string>();
    for (const exchange of this.#last) {
      const callId = exchange.callIds[0] ?? "";
      for (const rung of rungsOf(exchange)) {
        const key = `${rung.step.node} ${rung.step.sequence} ${rung.time}`;
        seen.add(key);
        if (this.#told.has(key)) told.add(key);
        else if (isWhole(key)) {
          if (!this.#named.has(callId) && !named.has(callId)) lines.push(headOf(exchange));
          named.add(callId);
          told.add(key);
          lines.push(...this.#linesOf(rung));
          json.push({ callId, ...rung, time: new Date(rung.time).toISOString() });
        }
      }
      if (this.#named.has(callId)) named.add(callId);
    }
    this.#told = told;
    this.#seen = seen;
    this.#named = named;
    return { lines, json };
  }

  #linesOf(rung: Rung): string[] {
    const time = new Date(rung.time).toISOString().slice(11, 23);
    if (rung.kind === "note") {
      const { kind, title } = rung.step;
      return [`${time}  * ${printable(`${rung.at}${kind === "decision" ? "" : `, ${kind}`}: ${title}`)}`];
    }
    const took = rung.took === undefined ? "" : `  ${rung.took.toFixed(2)} ms`;
    const line = `${time}  ${printable(`${rung.from} > ${rung.to}  ${rung.step.title}`)}${took}`;
    const text = this.#text ? (rung.step.text?.trimEnd().split(/\r?\n/) ?? []) : [];
    return [line, ...text.map((one) => `                  ${printable(one)}`)];
  }
}

function headOf(exchange: Exchange): string {
  const { method, from, to } = summaryOf(exchange);
  const parties = from === to || to === "" ? from : `${from} to ${to}`;
  return printable(`${method} ${parties}  Call-ID ${exchange.callIds.join(", ")}`);
}
