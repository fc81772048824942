import type { Torture } from "../torture.ts";
import { invalidRows } from "./expectations/invalid.ts";
import type { Row } from "./expectations/outcomes.ts";
import { semanticsRows } from "./expectations/semantics.ts";
import { validRows } from "./expectations/valid.ts";
import { invalid } from "./messages/invalid.ts";
import { semantics } from "./messages/semantics.ts";
import { valid } from "./messages/valid.ts";

const texts = new Map(Object.entries({ ...valid, ...invalid, ...semantics }));
const COOKIE = "z9hG4bK";

/** The 49 messages of RFC 4475 in its order, each with what is expected of us. */
export const tortures: readonly Torture[] = [...validRows, ...invalidRows, ...semanticsRows].map(
  (row): Torture => ({
    name: row.name,
    clause: row.clause,
    what: row.what,
    why: row.why,
    text: texts.get(row.name) ?? "",
    identity: row.identity ?? identityOf(row),
    parser: row.parser,
    udp: row.udp,
    tcp: row.tcp ?? row.udp,
  }),
);

/** dblreq as a stream can carry it: the second body is an octet more than its Content-Length in the RFC. */
export const withTrueLength: readonly Torture[] = tortures
  .filter(({ name }) => name === "dblreq")
  .map((torture) => ({
    ...torture,
    what: `${torture.what}; Content-Length put right`,
    text: torture.text.replace("Content-Length: 150", "Content-Length: 151"),
    tcp: { kind: "each", statuses: [[403], [403]] },
  }));

function identityOf({ parser }: Row): string[] {
  if (parser.kind !== "accepted") return [];
  const branch = parser.facts.via[2];
  return branch === "" || branch === COOKIE ? [parser.facts.callId] : [branch, parser.facts.callId];
}
