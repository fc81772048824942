import { UNAVAILABLE, type Unavailable } from "../hss.ts";
import { identityKey } from "../identity-key.ts";
import { isParkedKey } from "../record-names.ts";
import type { Sealing } from "../sealing.ts";
import { firstOf } from "../stored.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Page, PageQuery, SubscriberRecord } from "../subscriber-repository.ts";
import { partsNamed } from "../subscription-row.ts";
import { type Cql, type Row, text } from "./cql.ts";
import { selectAfter, selectFirst } from "./statements.ts";
import { recordOf, storedRow } from "./stored-subscriber.ts";

/** Rows of one read: decoded in a few milliseconds. */
const ROWS_PER_READ = 200;
/** Rows that one request looks at; a search that found too few says where the next one begins. */
const MAX_ROWS = 5000;

/**
 * A page of subscribers in the order of their partitions, which is none to the eye; within the page by private identity.
 * A full scan: for operators, not for calls.
 */
export async function subscriberPage(
  query: PageQuery,
  cql: Cql,
  sealing: Sealing,
): Promise<Page | Unavailable> {
  const { limit } = query;
  const search = query.search?.toLowerCase();
  const subscribers: Subscriber[] = [];
  let after = query.after;
  let seen = 0;
  let more = true;
  while (more && subscribers.length < limit && seen < MAX_ROWS) {
    const count = Math.min(
      ROWS_PER_READ,
      search === undefined ? limit - subscribers.length + 1 : ROWS_PER_READ,
    );
    const rows = await (after === ""
      ? cql.read(selectFirst, [count])
      : cql.read(selectAfter, [after, count]));
    if (rows === UNAVAILABLE) return UNAVAILABLE;
    more = rows.length === count;
    for (const row of rows) {
      if (subscribers.length >= limit) {
        more = true;
        break;
      }
      after = text(row, "impi") ?? "";
      seen++;
      const version = text(row, "record_version");
      if (version === undefined || isParkedKey(after) || !matches(row, search)) continue;
      const first = firstOf(storedRow(recordOf(row, sealing), version, row));
      if (first !== undefined) subscribers.push(first);
    }
  }
  subscribers.sort((one, other) => (one.impi < other.impi ? -1 : 1));
  return { subscribers, next: more ? after : undefined };
}

function matches(row: Row, search: string | undefined): boolean {
  if (search === undefined || (text(row, "impi") ?? "").toLowerCase().includes(search)) return true;
  const identities = JSON.parse(text(row, "identities") ?? "[]") as SubscriberRecord["identities"];
  if (identities.some(({ impu }) => identityKey(impu)?.canonical.toLowerCase().includes(search) ?? false))
    return true;
  const parts = text(row, "parts");
  const others = parts === undefined ? [] : partsNamed(parts).privateIdentities;
  return others.some(({ impi }) => impi.toLowerCase().includes(search));
}
