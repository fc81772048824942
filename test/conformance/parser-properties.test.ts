import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type HeaderName,
  headerIdOf,
  Parameters,
  parseMessage,
  parseUri,
  quote,
  type SipMessage,
  splitList,
  unquote,
  uriEquals,
  uriToString,
} from "@ims/sip";
import fc from "fast-check";
import { exercise } from "./exercise.ts";
import { tortures as rfc4475 } from "./rfc4475-torture/expectations.ts";
import { tortures as rfc5118 } from "./rfc5118-torture/expectations.ts";

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString("latin1");
const octets = fc.uint8Array({ maxLength: 2_000, size: "max" }).map(latin1);
/** What is special in the grammar of SIP, in every order. */
const grammarSoup = fc
  .array(
    fc.constantFrom(
      ...'\r\n|\r|\n|\r\n |\r\n\t|:|;|,|<|>|"|\\|@|?|=|%|%00|[|]|/|(|)|*| |\0|\x7f|\xff|sip:|sips:|tel:|SIP/2.0|INVITE|Via|v|From|To|Contact|m|Route|CSeq|Call-ID|Content-Length|l|1|99999999999999999999|z9hG4bK|branch=|tag=|lr|a.b|::|__proto__'.split(
        "|",
      ),
    ),
    { maxLength: 200, size: "max" },
  )
  .map((pieces) => pieces.join(""));
const known = fc.constantFrom(...[...rfc4475, ...rfc5118].map(({ text }) => text));

test("any octets: the parser neither throws nor makes anything up", () => {
  fc.assert(
    fc.property(fc.oneof(octets, grammarSoup), (text) => void exercise(text)),
    { numRuns: 2_000 },
  );
});

test("a request with any header section: the parser does not throw", () => {
  fc.assert(
    fc.property(fc.oneof(octets, grammarSoup), fc.boolean(), (soup, ended) => {
      exercise(
        `INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n${soup}${ended ? "\r\n\r\n" : ""}`,
      );
    }),
    { numRuns: 2_000 },
  );
});

test("a torture message with pieces cut out, doubled or replaced: the parser does not throw", () => {
  const wound = fc.record({ at: fc.nat(), length: fc.nat({ max: 40 }), by: fc.oneof(octets, grammarSoup) });
  fc.assert(
    fc.property(known, fc.array(wound, { minLength: 1, maxLength: 5, size: "max" }), (text, wounds) => {
      let torn = text;
      for (const { at, length, by } of wounds) {
        const from = at % torn.length;
        torn = `${torn.slice(0, from)}${by.slice(0, 60)}${torn.slice(from + length)} `;
      }
      exercise(torn);
    }),
    { numRuns: 2_000 },
  );
});

test("an accepted message leaves byte for byte as it came, whatever it holds", () => {
  const wound = fc.record({ at: fc.nat(), by: fc.constantFrom(...'aZ09;,=<>"\\ \t%@?\xe9\0'.split("")) });
  fc.assert(
    fc.property(known, fc.array(wound, { maxLength: 4, size: "max" }), (text, wounds) => {
      let torn = text;
      for (const { at, by } of wounds) {
        const from = at % torn.length;
        torn = torn.slice(0, from) + by + torn.slice(from + 1);
      }
      const parsed = parseMessage(torn);
      if (parsed.kind === "invalid") return;
      const { message } = parsed;
      const start = /^SIP\/2\.0/i.test(torn) ? "SIP/2.0" : message.method;
      assert.equal(message.isRequest ? message.method : "SIP/2.0", start);
      const head = torn.slice(torn.indexOf("\r\n"), torn.indexOf("\r\n\r\n") + 4);
      const out = message.toString();
      assert.equal(out.slice(out.indexOf("\r\n")), head + message.body);
    }),
    { numRuns: 2_000 },
  );
});

// ---- generated messages ----

const TOKEN = "abcXYZ019-.!%*_+`'~";
const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 12, size: "max" });
const KNOWN_NAMES: readonly HeaderName[] = [
  "Via",
  "Route",
  "Contact",
  "Supported",
  "Subject",
  "Expires",
  "Path",
];
const COMPACT: Readonly<Partial<Record<HeaderName, string>>> = {
  Via: "v",
  Contact: "m",
  Supported: "k",
  Subject: "s",
};
const knownName = fc
  .constantFrom(...KNOWN_NAMES)
  .chain((name) => fc.constantFrom(name, name.toLowerCase(), name.toUpperCase(), COMPACT[name] ?? name));
const unknownName = fc.oneof(
  token.filter((name) => headerIdOf(name) === 0),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty"),
);
const blank = fc.constantFrom("", " ", "  ", "\t", "\r\n ", "\r\n\t ");
const word = fc.string({
  unit: fc.constantFrom(...TOKEN, ...'<>@;,=?:/"\\()[]{}'.split(""), "\x80", "\xff", "\0"),
  maxLength: 20,
});
const line = fc
  .tuple(
    fc.oneof(knownName, unknownName),
    fc.constantFrom("", " ", "\t"),
    blank,
    fc.array(fc.tuple(word, blank), { maxLength: 4, size: "max" }),
  )
  .map(([name, gap, first, rest]) => ({
    name,
    raw: `${name}${gap}:${first}${rest.map(([piece, space]) => piece + space).join("")}`.replace(
      /(?:\r\n[ \t]+)+$/,
      "",
    ),
  }));
const body = fc.uint8Array({ maxLength: 200, size: "max" }).map(latin1);
const uri = fc.tuple(token, token).map(([user, host]) => `sip:${user}@${host}`);

interface Sample {
  readonly start: string;
  readonly lines: readonly { readonly name: string; readonly raw: string }[];
  readonly body: string;
}
const sample: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.oneof(
      fc.constant("INVITE"),
      token.filter((name) => !/^sip/i.test(name)),
    ),
    uri,
    fc.array(line, { maxLength: 20, size: "max" }),
    body,
  )
  .map(([method, target, lines, content]) => ({
    start: `${method} ${target} SIP/2.0`,
    lines: [...lines, { name: "Content-Length", raw: `Content-Length: ${content.length}` }],
    body: content,
  }));

function textOf({ start, lines, body: content }: Sample): string {
  return `${[start, ...lines.map(({ raw }) => raw)].join("\r\n")}\r\n\r\n${content}`;
}

function messageOf(text: string): SipMessage {
  const parsed = parseMessage(text);
  assert.equal(
    parsed.kind,
    "message",
    `${JSON.stringify(text)}: ${parsed.kind === "invalid" ? parsed.fault : ""}`,
  );
  return (parsed as { message: SipMessage }).message;
}

test("RFC 3261 §7: a generated message is accepted and leaves byte for byte as it came", () => {
  fc.assert(
    fc.property(sample, (made) => {
      const text = textOf(made);
      const message = messageOf(text);
      assert.equal(message.toString(), text);
      assert.equal(message.body, made.body);
      assert.deepEqual(
        [...message.entries()].map(([name]) => name),
        made.lines.map(({ name }) => name),
      );
    }),
    { numRuns: 1_000 },
  );
});

test("RFC 3261 §7.3: every line is found under its name in any spelling, also __proto__", () => {
  fc.assert(
    fc.property(sample, (made) => {
      const message = messageOf(textOf(made));
      for (const { name } of made.lines) {
        const same = made.lines.filter((other) =>
          headerIdOf(name) === 0
            ? other.name.toLowerCase() === name.toLowerCase()
            : headerIdOf(other.name) === headerIdOf(name),
        );
        const values = same.map(({ raw }) =>
          raw
            .slice(raw.indexOf(":") + 1)
            .replace(/\r\n[ \t]+/g, " ")
            .trim(),
        );
        assert.deepEqual(message.lines(name.toUpperCase()), values);
      }
    }),
    { numRuns: 500 },
  );
});

// ---- edits against a model: a list of lines ----

type Edit =
  | { readonly kind: "prepend" | "append" | "set"; readonly name: HeaderName; readonly value: string }
  | { readonly kind: "remove"; readonly name: HeaderName }
  | { readonly kind: "replaceTop"; readonly name: HeaderName; readonly value: string | undefined }
  | { readonly kind: "appendUnknown"; readonly name: string; readonly value: string };

const editName = fc.constantFrom(...KNOWN_NAMES);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("prepend" as const, "append" as const, "set" as const),
    name: editName,
    value: token,
  }),
  fc.record({ kind: fc.constant("remove" as const), name: editName }),
  fc.record({
    kind: fc.constant("replaceTop" as const),
    name: fc.constantFrom("Via" as const, "Route" as const, "Supported" as const),
    value: fc.option(token, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("appendUnknown" as const), name: unknownName, value: token }),
);

interface Line {
  readonly name: string;
  readonly raw: string;
}

function readValue({ raw }: Line): string {
  return raw
    .slice(raw.indexOf(":") + 1)
    .replace(/\r\n[ \t]+/g, " ")
    .trim();
}

function edited(lines: readonly Line[], change: Edit): readonly Line[] {
  const id = headerIdOf(change.name);
  const at = lines.findIndex((one) => headerIdOf(one.name) === id);
  const added = (value: string): Line => ({ name: change.name, raw: `${change.name}: ${value}` });
  switch (change.kind) {
    case "prepend":
      return [added(change.value), ...lines];
    case "append":
    case "appendUnknown":
      return [...lines, added(change.value)];
    case "set":
      if (at < 0) return [...lines, added(change.value)];
      return lines.flatMap((one, index) =>
        index === at ? [added(change.value)] : headerIdOf(one.name) === id ? [] : [one],
      );
    case "remove":
      return lines.filter((one) => headerIdOf(one.name) !== id);
    case "replaceTop": {
      const top = lines[at];
      if (top === undefined) return change.value === undefined ? lines : [added(change.value), ...lines];
      const [, ...others] = splitOutside(readValue(top));
      const rest = others.join(",").trim();
      const parts = [change.value ?? "", rest].filter((part) => part !== "");
      return lines.flatMap((one, index) =>
        index !== at ? [one] : parts.length === 0 ? [] : [added(parts.join(", "))],
      );
    }
  }
}

/** At commas outside quotes and angle brackets, by another way than the parser's. */
function splitOutside(value: string): string[] {
  const pieces =
    value.match(/"(?:\\[\s\S]|[^"\\])*(?:"|$)|"(?:\\[\s\S]|[^"\\])*\\$|<[^>]*(?:>|$)|,|[^",<]+/g) ?? [];
  const values = [""];
  for (const piece of pieces)
    if (piece === ",") values.push("");
    else values[values.length - 1] += piece;
  return values;
}

test("edits touch what they name and leave every other line byte for byte", () => {
  fc.assert(
    fc.property(sample, fc.array(edit, { maxLength: 12, size: "max" }), (made, changes) => {
      const original = textOf(made);
      const message = messageOf(original);
      const copy = message.clone();
      let lines: readonly Line[] = made.lines;
      for (const change of changes) {
        lines = edited(lines, change);
        if (change.kind === "remove") copy.remove(change.name);
        else if (change.kind === "replaceTop") copy.replaceTop(change.name, change.value);
        else if (change.kind === "appendUnknown") copy.appendUnknown(change.name, change.value);
        else copy[change.kind](change.name, change.value);
      }
      assert.equal(copy.toString(), textOf({ ...made, lines }));
      assert.equal(message.toString(), original, "the message it was cloned from stays as it was");
    }),
    { numRuns: 1_000 },
  );
});

test("RFC 3261 §20.14: a new body comes with its Content-Length and is read back", () => {
  fc.assert(
    fc.property(sample, body, (made, content) => {
      const text = messageOf(textOf(made)).setBody(content, "application/sdp").toString();
      assert.equal(messageOf(text).body, content);
      assert.equal(messageOf(text).header("Content-Length"), String(content.length));
    }),
  );
});

test("RFC 3261 §25.1: a quoted string is read back, whatever it holds", () => {
  fc.assert(
    fc.property(octets, (text) => {
      assert.equal(unquote(quote(text)), text);
      assert.deepEqual(splitList(`${quote(text)}, b`), [quote(text), "b"]);
    }),
  );
});

test("RFC 3261 §7.3.1: parameters are read back by name, also __proto__", () => {
  const name = fc.oneof(token, fc.constantFrom("__proto__", "constructor", "tostring"));
  const value = fc.oneof(token, octets.map(quote));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one.toLowerCase() }),
      (pairs) => {
        const text = pairs.map(([one, what]) => ` ; ${one} = ${what}`).join("");
        const parameters = Parameters.parse(text);
        for (const [one, what] of pairs) assert.equal(parameters?.get(one.toLowerCase()), unquote(what));
        assert.equal(parameters?.get("absent"), undefined);
        assert.equal(parameters?.has("valueOf"), false);
        assert.deepEqual(Parameters.parse(String(parameters))?.toString(), String(parameters));
      },
    ),
  );
});

test("RFC 3261 §19.1.4: a URI written out is the same URI", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        grammarSoup,
        uri,
        uri.map((text) => `${text};lr;a=b?c=d`),
      ),
      (text) => {
        for (const candidate of [text, `sip:${text}`, `tel:${text}`]) {
          const parsed = parseUri(candidate);
          if (parsed === undefined) continue;
          const again = parseUri(uriToString(parsed));
          assert.ok(again !== undefined && uriEquals(parsed, again), candidate);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
